# frozen_string_literal: true

require_relative 'publisher'
require_relative 'subscriber'

module Iodine
  module PubSub
    class Redis
      # One pair of connections, for as long as both hold: what waited is sent first, then the names are subscribed,
      # then all goes on. The one that subscribes is there once there are names. For the session's thread only.
      # @api private
      class Link
        STEADY = 5 # seconds after which it was a good one
        TICK = 0.05 # to look whether what is owed came
        HEARING = 1 # second for what is on its way when the other connection broke

        # @param state [Session::State]
        def initialize(address, ping, state)
          @address = address
          @ping = ping
          @latch, @names, @ledger, @commands, @report = *state
          @probed = 0
        end

        # Doesn't return.
        # @raise [StandardError] when a connection is down
        def run
          @publisher = Publisher.new(@address)
          send_late
          @ledger.join
          send_late
          serve
        end

        # Did it ever come so far?
        def online?
          !@since.nil?
        end

        def good?
          online? && Clock.now - @since > STEADY
        end

        # The messages that came back before the publisher's connection broke are in Redis: they need not be sent again.
        def hear_out
          return if @subscriber.nil? || @subscriber.error

          @subscriber.ping
          @latch.wait_while(HEARING) { @names.answers? && !@subscriber.error }
        rescue StandardError
          nil # that one broke, too
        end

        def close
          [@subscriber, @publisher].compact.each(&:close)
        end

        private

        # What this cluster has already. While that goes on, more may come.
        def send_late
          count = @ledger.size
          while count.positive? && (messages = @ledger.take(late: true)).any?
            transmit(messages)
            @report.late(messages.size)
            count -= messages.size
          end
        end

        # Messages first: the names that changed since are told after them.
        def serve
          loop do
            check
            subscribe if @names.any? && @subscriber.nil?
            transmit(@ledger.take)
            @subscriber&.update
            online if !online? && @names.known?(0)
            @latch.wait_while(pause) { nothing_to_do? }
          end
        end

        def subscribe
          @subscriber = Subscriber.new(@address, @latch, @names, @ledger) do |name, error|
            @report.denied('subscribe to', name, error)
          end
        end

        def online
          @ledger.online
          @since = Clock.now
          @report.back(@ledger.take_lost)
        end

        def nothing_to_do?
          return false if @commands.waiting? || @ledger.ready? || @names.ready?

          @subscriber ? !@subscriber.error : @names.none?
        end

        def transmit(messages)
          commands = @commands.take
          return if commands.empty? && messages.empty?

          replies = @publisher.call([*commands, *messages].map(&:words))
          message, error = @ledger.answered(replies.drop(commands.size))
          @report.denied('publish to', message.channel, error) if error
          @commands.answered(replies.first(commands.size))
        end

        # Raises what ends this.
        def check
          @publisher.call([['PING']]) if due?(@publisher)
          check_subscriber if @subscriber
          @report.losses { @ledger.take_lost } if online?
        end

        def check_subscriber
          raise @subscriber.error if @subscriber.error
          raise RedisClient::ReadTimeoutError, "no answer in #{Subscriber::PATIENCE} seconds" if @subscriber.silent?

          probe
        end

        # Asks for what didn't come back, or whether anybody is there.
        def probe
          return if @names.ping? || Clock.now - @probed < TICK
          return unless @ledger.missing? || due?(@subscriber)

          @probed = Clock.now
          @subscriber.ping
        end

        def due?(connection)
          @ping.positive? && connection.idle >= @ping
        end

        # Seconds, or nil: until something changes.
        def pause
          return TICK if @names.answers? || @ledger.missing?

          [@publisher, @subscriber].compact.map { |one| [@ping - one.idle, 0].max }.min if @ping.positive?
        end
      end
      private_constant :Link
    end
  end
end
