# frozen_string_literal: true

module Iodine
  # How many processors this process may use: the system's, or fewer where a container has a quota.
  # @api private
  module Cores
    class << self
      # @param root [String] where the cgroup file systems are mounted
      # @param membership [String] the file that names the process's groups
      # @return [Integer] at least 1
      def count(root: '/sys/fs/cgroup', membership: '/proc/self/cgroup')
        require 'etc'
        [Etc.nprocessors, quota(root, membership)].compact.min.ceil.clamp(1..)
      end

      private

      # The smallest quota of the process's group and the groups around it, in processors; nil = none.
      def quota(root, membership)
        groups = File.readlines(membership, chomp: true).map { |line| line.split(':', 3) }
        groups.flat_map { |_, controllers, path| quotas(root, controllers, path) }.compact.min
      rescue SystemCallError
        nil
      end

      def quotas(root, controllers, path)
        if controllers.empty?
          around(path).map { |group| version2(File.join(root, group, 'cpu.max')) }
        elsif controllers.split(',').include?('cpu')
          around(path).map { |group| version1(File.join(root, 'cpu', group)) }
        else
          []
        end
      end

      # "/a/b" → ["/a/b", "/a", "/"]. Inside a container the outer path may not exist: its root then is the group.
      def around(path)
        groups = [path]
        groups << File.dirname(groups.last) until groups.last == '/'
        groups
      end

      def version2(file)
        limit, period = File.read(file).split
        ratio(limit, period) unless limit == 'max'
      rescue SystemCallError
        nil
      end

      def version1(group)
        limit = File.read(File.join(group, 'cpu.cfs_quota_us'))
        ratio(limit, File.read(File.join(group, 'cpu.cfs_period_us'))) if limit.to_i.positive?
      rescue SystemCallError
        nil
      end

      def ratio(limit, period)
        limit.to_f / period.to_i if limit.to_i.positive? && period.to_i.positive?
      end
    end
  end
  private_constant :Cores
end
