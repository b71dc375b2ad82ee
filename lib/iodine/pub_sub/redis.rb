# frozen_string_literal: true

module Iodine
  module PubSub
    # Pub/sub over Redis: joins clusters on several machines, and programs that only publish. It needs the gem
    # `redis-client`, which belongs in your Gemfile.
    #
    #     Iodine::PubSub.default = Iodine::PubSub::Redis.new('redis://user:password@redis.example.com:6379/0')
    #     Iodine.publish('chat', 'hello') # reaches all that have this Redis
    #
    # A cluster has one pair of connections, in the process that made the engine: its root. Nothing connects before the
    # first subscription, message or command. What is published comes back from Redis, so that all clusters get it in
    # the same order.
    #
    # While Redis is away, this cluster's subscribers get messages at once, and up to 10,000 messages or 16 MB wait for
    # it; then the oldest are given up, and the log tells how many. When it is back, those that waited are sent, and the
    # names subscribed again. Nobody here gets a message twice. Other clusters may, if it was on its way when the
    # connection broke; and they miss what is sent while they aren't connected.
    class Redis < Engine
      PING = 30
      MINIMUM = '0.22'
      # For RedisClient. Its older protocol is enough, and known to all that speak like Redis; nothing is sent twice
      # behind our back.
      OPTIONS = { protocol: 2, driver: :ruby, timeout: 2, reconnect_attempts: false }.freeze
      private_constant :PING, :MINIMUM, :OPTIONS

      class << self
        # Makes a Redis the default engine.
        # @api private
        # @param url [String]
        # @param ping [Integer, nil] seconds; nil = the default
        # @return [Redis]
        def use(url, ping = nil)
          PubSub.default = new(url, ping: ping || PING)
        end

        # Whether there may be a Redis by that URL.
        # @api private
        # @raise [ArgumentError, LoadError]
        def check(url)
          Address.new(url)
          load_client
        end

        # @api private
        def load_client
          require 'redis-client'
          return if Gem::Version.new(RedisClient::VERSION) >= Gem::Version.new(MINIMUM)

          raise LoadError, "Iodine::PubSub::Redis needs the gem redis-client from #{MINIMUM} on, not " \
                           "#{RedisClient::VERSION}: run bundle update redis-client"
        rescue LoadError => e
          raise unless e.path == 'redis-client'

          raise LoadError, "Iodine::PubSub::Redis needs the gem redis-client: add gem 'redis-client' to the Gemfile"
        end
      end

      # @param url [String] `redis://user:password@host:6379/0`, `rediss://` for TLS, which trusts what the system does,
      #   or `unix:///run/redis.sock?db=0`
      # @param ping [Integer] seconds without traffic after which a connection is checked, 0 to 255; 0 = never
      # @raise [ArgumentError] when it is no such URL
      # @raise [RangeError, TypeError]
      # @raise [LoadError] without the gem redis-client
      def initialize(url, ping: PING)
        super()
        raise TypeError, "ping must be an Integer, not #{ping.class}" unless ping.is_a?(Integer)
        raise RangeError, "ping is #{ping}: give 0 to 255 seconds" unless (0..255).cover?(ping)

        @address = Address.new(url)
        @ping = ping
        @home = ::Process.pid
        @lock = Mutex.new
        Redis.load_client
        # The descriptors that a fork copied go with it.
        Iodine.on_state(:after_fork) { @session = nil unless own? }
        at_exit { @session.finish if own? }
      end

      # Called by pub/sub when the first subscriber of a name comes.
      # @param to [String]
      # @param match [true, nil] is it a pattern?
      def subscribe(to, match = nil)
        session.subscribe(to.to_s, !!match) unless Relay.needed?(@home)
      end

      # Called by pub/sub when the last one is gone.
      # @param to [String]
      # @param match [true, nil] is it a pattern?
      def unsubscribe(to, match = nil)
        session.unsubscribe(to.to_s, !!match) unless Relay.needed?(@home)
      end

      # Never blocks in a server. Elsewhere it may wait for Redis; the end of the program does, up to 5 seconds.
      # @param to [String]
      # @param message [String]
      # @return [true]
      def publish(to, message)
        if Relay.needed?(@home)
          Relay.publish(self, to.to_s, message)
        else
          session.publish(to.to_s, message)
        end
        true
      rescue ThreadError # a trap may take no lock
        copy = message.dup
        Thread.new { publish(to, copy) }
        true
      end

      # Sends a command to Redis, in the process that has the connections. Those that would block or change them are
      # refused. If Redis can't be reached the block gets that error; a command that was sent is not repeated.
      #
      #     redis.cmd('GET', 'key') { |reply| puts reply }
      #     redis.cmd('CLIENT LIST') { |reply| puts reply } # one String is split into words
      #
      # @param arguments [String, Symbol, Integer, Float]
      # @yieldparam reply [String, Integer, Array, nil, Exception] Redis' own, on an application thread if iodine runs;
      #   an Exception when it failed. Without a block an error is logged
      # @return [self]
      # @raise [ArgumentError] when there is no command, or it is one of those
      # @raise [TypeError]
      def cmd(*arguments, &block)
        if Relay.needed?(@home)
          Relay.command(self, Command.new(arguments, block))
        else
          session.command(Command.new(arguments, block && ->(reply) { on_application_thread(block, reply) }))
        end
        self
      end

      # In the root: a worker publishes.
      # @api private
      def told(text)
        session.publish(*Relay.publication(text))
      end

      # In the root: a worker has a command.
      # @api private
      # @yieldparam reply [String]
      def asked(text, &)
        session.command(Relay.asked(text, &))
      end

      # @return [String] without the password
      def inspect
        "#<#{self.class} #{@address}>"
      end

      private

      # A process has a session of its own.
      def session
        return @session if own?

        @lock.synchronize do
          @session = Session.new(@address, @ping) { |channel, payload| deliver(channel, payload) } unless own?
          @session
        end
      end

      def own?
        @session&.pid == ::Process.pid
      end

      # A worker that made an engine itself has connections for itself, as have the others.
      def deliver(channel, payload)
        Iodine.publish(channel, payload, Relay.worker? ? PROCESS : CLUSTER)
      end

      def on_application_thread(block, reply)
        return block.call(reply) unless Runtime.server

        Iodine.run { block.call(reply) }
      end
    end
  end
end

# Its parts open the class again, without its superclass.
require_relative 'redis/address'
require_relative 'redis/relay'
require_relative 'redis/session'
