# frozen_string_literal: true

module Iodine
  # The control group of this process and those around it: what a container may use.
  # @api private
  class Cgroup
    # @param root [String] where the cgroup file systems are mounted
    # @param membership [String] the file that names the process's groups
    def initialize(root: '/sys/fs/cgroup', membership: '/proc/self/cgroup')
      @root = root
      @membership = membership
    end

    # @return [Float, nil] the smallest quota; nil = none
    def processors
      limits('cpu') { |version, folder| version == 2 ? quota2(folder) : quota1(folder) }.min
    end

    # @return [Integer, nil] bytes, the smallest limit; nil = none
    def memory
      limits('memory') { |version, folder| bytes(folder, version == 2 ? 'memory.max' : 'memory.limit_in_bytes') }.min
    end

    private

    # Yields 1 or 2 and the folder of each group that counts.
    def limits(controller)
      groups = File.readlines(@membership, chomp: true).map { |line| line.split(':', 3) }
      groups.flat_map do |_, controllers, path|
        version, folder = place(controllers, controller)
        version ? around(path).filter_map { |group| read { yield version, File.join(folder, group) } } : []
      end
    rescue SystemCallError
      []
    end

    # Version 2 has all controllers in one tree, version 1 a tree for each.
    def place(controllers, controller)
      return [2, @root] if controllers.empty?

      [1, File.join(@root, controller)] if controllers.split(',').include?(controller)
    end

    # "/a/b" → ["/a/b", "/a", "/"]. Inside a container the outer path may not exist: its root then is the group.
    def around(path)
      groups = [path]
      groups << File.dirname(groups.last) until groups.last == '/'
      groups
    end

    def read
      yield
    rescue SystemCallError
      nil
    end

    def quota2(folder)
      ratio(*File.read(File.join(folder, 'cpu.max')).split)
    end

    def quota1(folder)
      ratio(*%w[cpu.cfs_quota_us cpu.cfs_period_us].map { |name| File.read(File.join(folder, name)) })
    end

    # "max" or -1 is no limit.
    def ratio(limit, period)
      limit.to_f / period.to_i if limit.to_i.positive? && period.to_i.positive?
    end

    # "max", or in version 1 a number next to 2^63, is no limit.
    def bytes(folder, file)
      limit = File.read(File.join(folder, file)).to_i
      limit if limit.positive? && limit < (1 << 62)
    end
  end
  private_constant :Cgroup
end
