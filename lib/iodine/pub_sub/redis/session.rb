# frozen_string_literal: true

require_relative 'commands'
require_relative 'latch'
require_relative 'ledger'
require_relative 'link'
require_relative 'report'
require_relative 'names'

module Iodine
  module PubSub
    class Redis
      # One process's life with a Redis: what it wants of it, and a thread that connects, again and again.
      # @api private
      class Session
        DELAYS = [0.2, 5].freeze # seconds between two attempts: half of it and a random part of the other half
        FLUSH = 5 # seconds at the end of the process
        MANY = 1000 # messages that wait when a program that isn't a server has to

        # What the threads share.
        State = Struct.new(:latch, :names, :ledger, :commands, :report)

        # @return [Integer] the process
        attr_reader :pid

        # @param address [Address]
        # @param ping [Integer] seconds
        # @yield [channel, payload] delivers a message in this cluster
        def initialize(address, ping, &)
          @address = address
          @ping = ping
          @pid = ::Process.pid
          @latch = Latch.new
          @names = Names.new
          @ledger = Ledger.new(@latch, @names, &)
          @commands = Commands.new(@latch)
          @report = Report.new(address)
          @failures = 0
        end

        def publish(channel, payload)
          start
          @ledger.publish(channel, payload)
          slow_down unless Iodine.running?
        end

        # @param command [Command]
        def command(command)
          start
          @commands.push(command)
        end

        # @param pattern [Boolean]
        def subscribe(name, pattern)
          start
          @ledger.subscribe(Message.text(name), pattern)
        end

        # @param pattern [Boolean]
        def unsubscribe(name, pattern)
          @latch.change { @names.remove(Message.text(name), pattern) }
        end

        # At the end of the process.
        def finish
          @ending = true
          flush
        end

        private

        def start
          return if @thread&.alive?

          @latch.synchronize do
            next if @thread&.alive?

            @thread = Thread.new { run }
            @thread.name = 'iodine redis'
          end
        end

        def run
          state = State.new(@latch, @names, @ledger, @commands, @report)
          loop do
            link = Link.new(@address, @ping, state)
            link.run
          rescue StandardError => e
            fall(link, e)
            sleep delay
          end
        end

        def fall(link, error)
          link&.hear_out unless error.is_a?(RedisClient::TimeoutError)
          @ledger.fall
          link&.close
          @failures = link&.good? ? 0 : @failures + 1
          @report.away(error, lost: link&.online?)
          @commands.fall(error, all: !link&.online?)
        end

        def delay
          [DELAYS.first * (2**(@failures - 1).clamp(0, 10)), DELAYS.last].min * rand(0.5..1)
        end

        # A program that only publishes waits if that is faster than Redis takes it. At its end each message is waited
        # for: an at_exit of its own may come after ours.
        def slow_down
          return if Thread.current == @thread
          return flush if @ending

          @latch.wait_while { @ledger.size > MANY && !@ledger.down? }
        end

        def flush
          @latch.wait_while(FLUSH) { @ledger.size.positive? || @commands.any? }
          @report.undelivered(@ledger.size + @ledger.take_lost)
        end
      end
      private_constant :Session
    end
  end
end
