# frozen_string_literal: true

require_relative 'backlog'
require_relative 'echoes'
require_relative 'message'
require_relative 'names'
require_relative 'recent'

module Iodine
  module PubSub
    class Redis
      # What is to be sent, what was sent, and what this cluster has of it. Each message is delivered here exactly once:
      #
      # - `:online`: it goes to Redis alone and comes back as an echo, in the order that it has for all clusters.
      # - `:away`: it is delivered here at once, and waits for Redis. So does what was on its way when that began. What
      #   waits is sent before the names are subscribed again: no echo of it comes.
      # - `:joining`: that is done, but Redis doesn't know all names yet. It waits, to come back as an echo.
      #
      # It is delivered under the latch: that keeps the order. {Message#here} tells that this cluster has it.
      # @api private
      class Ledger
        BATCH = [500, 64 << 10].freeze # few enough that a Redis that hung has read them before it hears of us again

        attr_reader :state

        # @param names [Names]
        # @yield [channel, payload] delivers a message in this cluster
        def initialize(latch, names, &deliver)
          @latch = latch
          @names = names
          @deliver = deliver
          @waiting = Backlog.new
          @sent = []
          @echoes = Echoes.new
          @recent = Recent.new
          @state = :away
          @lost = @number = @answered = 0
        end

        def publish(channel, payload)
          message = Message.new(channel, payload)
          @latch.change do
            message.turn = @names.turn
            settle(message) if @state == :away
            @waiting.push(message)
            trim
          end
        end

        # @param pattern [Boolean]
        def subscribe(name, pattern)
          @latch.change do
            @names.add(name, pattern)
            @recent.take(name, pattern).each { |message| settle(message) }
          end
        end

        # Messages that are not in Redis yet.
        def size
          @waiting.size + @sent.size
        end

        # Is Redis known to be away?
        def down?
          @waiting.away?
        end

        # Is there anything for {#take}?
        def ready?
          @state == :online && @waiting.any? && @names.known?(@waiting.first.turn)
        end

        # What is to be sent now. {#answered} or {#fall} says what becomes of it.
        # @param late [Boolean] before the names are subscribed: that which this cluster has already
        # @return [Array<Message>]
        def take(late: false)
          @latch.synchronize do
            return [] unless late || @state == :online

            @sent = @waiting.take(*BATCH) { |message| late ? message.here : @names.known?(message.turn) }
            @sent.each { |message| expect(message, echo: @names.open? && !late) }
          end
        end

        # @return [Integer] of the last message that was answered
        def number
          @answered
        end

        # @param replies [Array] to those that were taken
        # @return [Array(Message, Exception), nil] one that Redis refused: only this cluster gets it
        def answered(replies)
          @latch.change do
            refused = @sent.zip(replies).select { |_, reply| reply.is_a?(Exception) }
            refused.each_entry { |message, _| settle(@echoes.delete(message)) }
            unheard(@sent) unless @names.open?
            @answered = @number
            @sent = []
            refused.first
          end
        end

        # What waited is sent, and from now on this cluster gets what is published as all others do.
        def join
          @latch.change { @state = :joining }
        end

        def online
          @latch.change do
            @state = :online
            @waiting.present!
          end
        end

        # A connection is down. What was not answered and did not come back is sent again.
        # @param sent [Boolean] is the one down that messages were sent on?
        def fall(sent: true)
          @latch.change do
            [*@echoes.give_up, *@sent, *@waiting].each { |message| settle(message) }
            @names.close
            @state = :away
            @waiting.away!
            send_again if sent
            trim
          end
        end

        # @return [Integer] how many were given up since the last call
        def take_lost
          @latch.synchronize { @lost.tap { @lost = 0 } }
        end

        # A message came from Redis.
        def hear(channel, payload)
          message = @echoes.take(channel, payload)
          message.echoed = message.here = true if message
          deliver(message&.channel || Message.text(channel), message&.payload || Message.text(payload))
        end

        # Did some messages not come back yet?
        def missing?
          @echoes.any?
        end

        # All that comes back of the messages up to this one is there.
        def give_up(number)
          unheard(@echoes.give_up(number))
        end

        private

        # No echo comes: nobody here is subscribed, or we were told so too late, or Redis denies us the name.
        def unheard(messages)
          messages.each { |message| @names.cover?(message.channel) ? settle(message) : keep(message) }
        end

        def keep(message)
          @recent.add(message) unless message.here
        end

        def expect(message, echo:)
          message.number = @number += 1
          @echoes.add(message) if echo
        end

        def settle(message)
          return if message.here

          message.here = true
          deliver(message.channel, message.payload)
        end

        def deliver(channel, payload)
          @deliver.call(channel, payload)
        rescue StandardError => e
          Log.exception('a message of Redis could not be delivered', e)
        end

        def send_again
          @waiting.unshift(@sent.reject(&:echoed))
          @sent = []
        end

        def trim
          gone = @waiting.trim
          gone.each { |message| settle(message) }
          @lost += gone.size
        end
      end
      private_constant :Ledger
    end
  end
end
