# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # The connection that sends messages and commands. For the session's thread only.
      # @api private
      class Publisher
        # @raise [RedisClient::Error] when Redis isn't there, or doesn't let us in
        def initialize(address)
          @client = RedisClient.new(**OPTIONS, **address.options)
          greet
        end

        # @param commands [Array<Array<String>>]
        # @return [Array] a reply, or an Exception, for each
        # @raise [RedisClient::ConnectionError] when it is down: none is known to have been done
        def call(commands)
          replies = @client.pipelined(exception: false) { |all| commands.each { |words| all.call_v(words) } }
          @used = Clock.now
          replies
        end

        # @return [Float] seconds
        def idle
          Clock.now - @used
        end

        def close
          @client.close
        end

        private

        # Without the password that it wants, Redis accepts the connection but no command. That it denies us the PING
        # alone is no harm.
        def greet
          reply = call([['PING']]).first
          raise reply if reply.is_a?(Exception) && !reply.is_a?(RedisClient::PermissionError)
        end
      end
      private_constant :Publisher
    end
  end
end
