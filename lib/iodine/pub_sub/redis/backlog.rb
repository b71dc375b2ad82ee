# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # Messages that wait to be sent, in order.
      # @api private
      class Backlog
        include Enumerable

        AWAY = [10_000, 16 << 20].freeze # messages and bytes that may wait for a Redis that is away
        PRESENT = [1_000_000, 64 << 20].freeze # and for one that is there, and slow

        def initialize
          present!
          @messages = []
          @bytesize = 0
        end

        def size
          @messages.size
        end

        def each(&)
          @messages.each(&)
        end

        def push(message)
          @bytesize += message.bytesize
          @messages.push(message)
        end

        # Those that were sent in vain come before all others.
        def unshift(messages)
          @bytesize += messages.sum(&:bytesize)
          @messages.unshift(*messages)
        end

        # The first ones that the block is true for, and at least one of them, however large.
        # @return [Array<Message>]
        def take(count, bytes)
          taken = []
          while taken.size < count && (message = @messages.first) && yield(message)
            bytes -= message.bytesize
            break if bytes.negative? && taken.any?

            taken << shift
          end
          taken
        end

        def away!
          @limit = AWAY
        end

        def present!
          @limit = PRESENT
        end

        def away?
          @limit.equal?(AWAY)
        end

        # The oldest go until no more is left than may wait.
        # @return [Array<Message>] those that went
        def trim
          gone = []
          gone << shift while @messages.size > @limit.first || @bytesize > @limit.last
          gone
        end

        private

        def shift
          @messages.shift.tap { |message| @bytesize -= message.bytesize }
        end
      end
      private_constant :Backlog
    end
  end
end
