# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # What was sent and may come back: Redis sends our own messages to us, too, if we subscribed to their channels.
      # Those of a channel come back in their order.
      # @api private
      class Echoes
        def initialize
          @messages = {}.compare_by_identity
          @channels = Hash.new { |channels, name| channels[name] = [] }
        end

        def any?
          @messages.any?
        end

        def add(message)
          @messages[message] = true
          @channels[message.channel] << message
        end

        # @return [Message, nil] the one whose echo this is; nil: another cluster's
        def take(channel, payload)
          message = @channels.fetch(channel, nil)&.first
          return unless message && message.payload == payload

          delete(message)
        end

        # @return [Message]
        def delete(message)
          @messages.delete(message)
          list = @channels.fetch(message.channel, [])
          list.first.equal?(message) ? list.shift : list.delete(message)
          @channels.delete(message.channel) if list.empty?
          message
        end

        # Gives up those that were sent up to this one: what came back from Redis after it says that no echo is to come.
        # @return [Array<Message>]
        def give_up(number = nil)
          @messages.keys.take_while { |message| number.nil? || message.number <= number }.each { |one| delete(one) }
        end
      end
      private_constant :Echoes
    end
  end
end
