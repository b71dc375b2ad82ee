# frozen_string_literal: true

require_relative 'copies'

module Iodine
  module PubSub
    class Redis
      # The connection that messages come on, and the thread that reads it. Only the session's thread writes.
      # @api private
      class Subscriber
        PATIENCE = 5 # seconds without a byte while an answer is owed
        FOREVER = 0 # as RedisClient has it. A time-out in the middle of a message would lose what was read of it

        # @return [Exception, nil] what ended it
        attr_reader :error

        # @yieldparam name [String] one that is denied
        # @yieldparam error [Exception]
        # @raise [RedisClient::Error]
        def initialize(address, latch, names, ledger, &denied)
          @latch = latch
          @names = names
          @ledger = ledger
          @denied = denied
          @copies = Copies.new
          @connection = RedisClient.new(**OPTIONS, **address.options).pubsub
          @active = Clock.now
          @latch.synchronize { @names.open(self) }
          Thread.new { listen }.name = 'iodine redis in'
        end

        # Tells Redis what has changed.
        def update
          @latch.synchronize { @names.take(@ledger.number) }.each { |command| write(command) }
        end

        def ping
          @latch.synchronize { @names.ping(@ledger.number) }
          write(['PING'])
        end

        # @return [Float] seconds
        def idle
          Clock.now - @active
        end

        # Does it owe an answer for too long?
        def silent?
          idle > PATIENCE && @names.answers?
        end

        def close
          @connection.close
        end

        private

        def write(words)
          @active = Clock.now
          @connection.call_v(words)
        end

        def listen
          loop do
            event = @connection.next_event(FOREVER)
            @active = Clock.now
            receive(*event)
          end
        rescue StandardError => e
          @latch.change do
            @error = e
            @ledger.fall(sent: false) if @names.holder?(self)
          end
        end

        def receive(kind, *rest)
          case kind
          when 'message' then hear(nil, *rest)
          when 'pmessage' then hear(*rest)
          when Exception then answer { refused(kind) }
          else answer { @names.answered }
          end
        end

        def hear(pattern, channel, payload)
          @latch.synchronize do
            @ledger.hear(channel, payload) if @names.holder?(self) && @copies.first?(pattern, channel, payload)
          end
        end

        def answer
          @latch.change do
            next unless @names.holder?(self)

            @copies.forget
            number = yield
            @ledger.give_up(number) if number # else nobody asked
          end
        end

        def refused(error)
          number, name = @names.refused
          @denied.call(name, error) if name
          number
        end
      end
      private_constant :Subscriber
    end
  end
end
