# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # A message on its way to Redis.
      # @api private
      class Message
        # Redis has bytes only: what is valid UTF-8 is text, for all that it comes to and in every case.
        # @return [String] frozen
        def self.text(bytes)
          return bytes if bytes.frozen? && bytes.encoding == Encoding::UTF_8 && bytes.valid_encoding?

          text = bytes.dup.force_encoding(Encoding::UTF_8)
          (text.valid_encoding? ? text : text.force_encoding(Encoding::BINARY)).freeze
        end

        attr_reader :channel, :payload

        # Which of our names' changes it came after.
        attr_accessor :turn

        # Does this cluster have it?
        attr_accessor :here

        # Did it come back from Redis?
        attr_accessor :echoed

        # Its place among all that were sent.
        attr_accessor :number

        def initialize(channel, payload)
          @channel = Message.text(channel)
          @payload = Message.text(payload)
        end

        def bytesize
          channel.bytesize + payload.bytesize
        end

        def words
          ['PUBLISH', channel, payload]
        end
      end
      private_constant :Message
    end
  end
end
