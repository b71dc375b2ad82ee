# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # The log's lines about one Redis: one when it is away, one when it is back, whatever happens between.
      # @api private
      class Report
        EVERY = 5 # seconds between two lines about losses while it is there

        def initialize(address)
          @address = address
          @told = [] # of this outage
          @denied = []
          @late = 0
          @losses = Clock.now
        end

        # It can't be reached, or a connection to it is lost. What it says itself is told, too: that isn't over by
        # waiting.
        # @param lost [Boolean] was it there before?
        def away(error, lost:)
          said = error.is_a?(RedisClient::CommandError)
          return unless first?(@told, said ? error.message : :away)

          what = if said then 'refuses'
                 else lost ? 'is lost' : "can't be reached"
                 end
          count, bytes = Backlog::AWAY
          Log.error("Redis at #{@address} #{what}: #{reason(error)}#{advice(error)}. Meanwhile messages reach this " \
                    "cluster only, and the last #{count} or #{bytes >> 20} MB of them wait for it")
        end

        # Messages were sent that had to wait for it.
        def late(count)
          @late += count if @told.any?
        end

        def back(lost)
          return if @told.empty?

          line = "Redis at #{@address} is back: #{amount(@late)} sent late, #{lost.zero? ? 'none' : lost} lost"
          lost.zero? ? Log.info(line) : Log.warning(line)
          @told.clear
          @late = 0
        end

        # It is there, and too slow.
        def losses
          return if Clock.now - @losses < EVERY

          lost = yield
          Log.warning("Redis at #{@address} is too slow for what is published: #{amount(lost)} lost") if lost.positive?
          @losses = Clock.now
        end

        # At the end of the process.
        def undelivered(count)
          return unless count.positive?

          Log.error("Redis at #{@address} did not get #{count} #{count == 1 ? 'message' : 'messages'} before the end")
        end

        # It lets us in, but not to this channel: told once for all of them.
        # @param action [String] "subscribe to", "publish to"
        def denied(action, name, error)
          return unless first?(@denied, [action, error.message])

          Log.error("Redis at #{@address} doesn't let us #{action} #{name.inspect}: #{reason(error)}#{advice(error)}")
        end

        private

        def first?(told, line)
          told << line unless told.include?(line)
        end

        def amount(count)
          "#{count} #{count == 1 ? 'message was' : 'messages were'}"
        end

        def advice(error)
          case error.message
          when /\ANOPERM/ then ': its ACL must allow it'
          when /\A(?:NOAUTH|WRONGPASS|ERR (?:AUTH|invalid|DB))/ then ': check user, password and database of its URL'
          end
        end

        # RedisClient names the URL at the end, which the line has already.
        def reason(error)
          error.message.sub(/ \((?:rediss?|unix):[^ )]*\)\z/, '').lines.first.to_s.chomp.chomp('.')
        end
      end
      private_constant :Report
    end
  end
end
