# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # Messages that Redis has and nobody here was subscribed to, kept for a moment: of a subscription we may be told
      # just after what was published to it.
      # @api private
      class Recent
        GRACE = 0.5 # seconds
        MOST = [1000, 4 << 20].freeze # messages and bytes

        def initialize
          @messages = []
          @bytes = 0
        end

        def add(message)
          now = Clock.now
          @messages << [now, message]
          @bytes += message.bytesize
          forget while @messages.size > MOST.first || @bytes > MOST.last || @messages.first.first < now - GRACE
        end

        # @param pattern [Boolean]
        # @return [Array<Message>] those that the name covers
        def take(name, pattern)
          found, @messages = @messages.partition { |_, message| Names.cover?(name, pattern, message.channel) }
          found.map(&:last).each { |message| @bytes -= message.bytesize }
        end

        private

        def forget
          @bytes -= @messages.shift.last.bytesize
        end
      end
      private_constant :Recent
    end
  end
end
