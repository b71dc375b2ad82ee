# frozen_string_literal: true

module Iodine
  module Compatibility
    # What an object gains once it is in charge of a connection by 0.2's rules: before that the methods return nil. Its
    # own methods come first.
    module Gained
      # @return [true, nil] nil when it is closed, or not open yet
      def write(data)
        @iodine_adapter&.client&.write(data)
      end

      # Closes after what is pending.
      # @return [nil]
      def close
        @iodine_adapter&.client&.close
      end

      # Closes at once: what is pending is lost.
      # @return [nil]
      def force_close
        @iodine_adapter&.client&.__send__(:drop)
      end

      # Calls the block with each other object of this process that has such a connection: soon, in turn with that
      # object's callbacks.
      # @return [self, Enumerator] without a block the others, as they are now
      def each(&block)
        others = @iodine_adapter&.others || []
        return others.map(&:object).each unless block

        others.each { |other| other.defer(block) }
        self
      end

      # @return [Integer] the objects of this process that have such a connection, this one among them until it closes
      def count
        @iodine_adapter&.count
      end

      # Calls the block with this object, or the one with that uuid, in turn with its callbacks.
      # @return [Proc, false] false when it is closed
      def defer(uuid = self.uuid, &block)
        raise ArgumentError, 'defer needs a block' unless block

        @iodine_adapter&.find(uuid)&.defer(block) ? block : false
      end

      # As {Iodine.run}.
      def run(&)
        Iodine.run(&)
      end

      # @return [Integer] of the connection, within this process
      def uuid
        @iodine_adapter&.uuid
      end

      # @return [Integer] seconds
      def timeout
        @iodine_adapter&.client&.timeout
      end

      # As {Connection#timeout=}.
      def timeout=(seconds)
        @iodine_adapter&.client&.timeout = seconds
      end
    end
  end
end
