# frozen_string_literal: true

module Iodine
  module Compatibility
    # The open connections of this process that go by 0.2's rules, of one protocol: who `each` and `count` are about.
    class Peers
      def initialize
        @lock = Mutex.new
        @open = {}
      end

      def add(adapter)
        @lock.synchronize { @open[adapter.uuid] = adapter }
      end

      def remove(adapter)
        @lock.synchronize { @open.delete(adapter.uuid) }
      end

      # @return [Adapter, nil]
      def find(uuid)
        @lock.synchronize { @open[uuid] }
      end

      # @return [Integer]
      def count
        @lock.synchronize { @open.size }
      end

      # @return [Array<Adapter>] all but one, as they are now
      def besides(adapter)
        @lock.synchronize { @open.values }.tap { |all| all.delete(adapter) }
      end
    end
  end
end
