# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # Redis sends a message once for its channel's name and once for each pattern that matches it; one copy is enough,
      # since iodine matches patterns itself. Which copies belong together needs no matching, and so no agreement about
      # it: those of one message come in a row, each for another name, and all messages of a channel come for the same
      # names as long as these don't change. So a name that comes again begins the next message.
      # @api private
      class Copies
        def initialize
          @names = []
        end

        # @param name [String, nil] the pattern it came for; nil: its channel's name
        # @return [Boolean] false: it was there already
        def first?(name, channel, payload)
          if channel == @channel && !@names.include?(name) && payload == @payload
            @names << name
            return false
          end

          @channel = channel
          @payload = payload
          @names = [name]
          true
        end

        # When the names change.
        def forget
          @channel = @payload = nil
        end
      end
      private_constant :Copies
    end
  end
end
