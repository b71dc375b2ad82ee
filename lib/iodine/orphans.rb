# frozen_string_literal: true

module Iodine
  # Process 1 of a container inherits the processes whose parents have died, and somebody has to reap them. What this
  # process has started itself is for whoever started it, who gets some time for that.
  # @api private
  module Orphans
    EVERY = 5 # seconds; what has ended is left alone for so long at least
    STAT = /\A(?<pid>\d+) \(.*\) Z 1 /m # a zombie whose parent is process 1

    class << self
      def adopt
        return unless ::Process.pid == 1

        Thread.new do
          before = []
          loop do
            sleep EVERY
            before = reap(before)
          end
        end
      end

      private

      # @param before [Array<Integer>] those that had ended at the last look
      # @return [Array<Integer>] those that have at this one
      def reap(before)
        now = ended
        (now & before).each { |pid| ::Process.wait(pid, ::Process::WNOHANG) }
        now
      rescue Errno::ECHILD
        now # somebody else was faster
      end

      def ended
        Dir['/proc/[0-9]*/stat'].filter_map do |path|
          STAT.match(File.read(path))&.then { |stat| stat[:pid].to_i }
        rescue SystemCallError
          nil # it is gone
        end
      end
    end
  end
  private_constant :Orphans
end
