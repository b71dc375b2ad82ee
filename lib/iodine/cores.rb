# frozen_string_literal: true

module Iodine
  # How many processors this process may use: the system's, or fewer where a container has a quota. And how many workers
  # there are for them if nobody has said.
  # @api private
  module Cores
    SHARE = 256 << 20 # bytes of a container's memory that a worker should have, of Rails say

    class << self
      # @param limits [Hash] of {Cgroup}
      # @return [Integer] at least 1
      def count(**limits)
        require 'etc'
        [Etc.nprocessors, Cgroup.new(**limits).processors].compact.min.ceil.clamp(1..)
      end

      # One for each, as long as the memory suffices.
      # @return [Integer] at least 1
      def workers(**limits)
        memory = Cgroup.new(**limits).memory
        [count(**limits), *(memory / SHARE if memory)].min.clamp(1..)
      end

      # @return [String, nil] why there are fewer workers than processors
      def shortage(**limits)
        workers = workers(**limits)
        cores = count(**limits)
        return if workers == cores

        "#{cores} cores, but a memory limit of #{Cgroup.new(**limits).memory >> 20} MB: #{workers} " \
          "#{workers == 1 ? 'worker' : 'workers'} by default, with #{SHARE >> 20} MB or more each; -w sets another"
      end
    end
  end
  private_constant :Cores
end
