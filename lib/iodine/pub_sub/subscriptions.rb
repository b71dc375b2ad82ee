# frozen_string_literal: true

# Subscriptions of the process.
module Iodine
  module PubSub
    # The subscriptions of this process. Those that were made before the start hold in each process of the cluster.
    # @api private
    module Subscriptions
      @standing = {}
      @lock = Mutex.new

      class << self
        def add(subscription)
          @lock.synchronize do
            if @server
              subscribe(subscription)
            else
              @standing[[subscription.name.to_s, subscription.pattern?]] = subscription
            end
          end
          subscription.name
        end

        # @return [Boolean] was there one?
        def remove(name)
          @lock.synchronize do
            next @server.unsubscribe(name) if @server

            ours = @standing.keys.select { |(known, _)| known == name.to_s }
            ours.each { |key| @standing.delete(key) }.any?
          end
        end

        # From now on the server tells them.
        def attach(server)
          @lock.synchronize do
            @server = server
            @standing.each_value { |subscription| subscribe(subscription) }
          end
        end

        def detach
          @lock.synchronize { @server = nil }
        end

        # In a forked process: whoever held the lock.
        def reset
          @lock = Mutex.new
          @server = nil
        end

        private

        def subscribe(subscription)
          @server.subscribe(subscription.name, subscription.pattern?, subscription.block)
        end
      end
    end
  end

  class << self
    # Calls a block for each message of a channel, in this process: never two at once, in order. Set before {start}, it
    # holds in the root and in each worker. The same name again replaces the block.
    #
    #     Iodine.subscribe(:chat) { |channel, message| puts message }
    #     Iodine.subscribe("room.*", match: :redis) { |channel, message| puts channel }
    #
    # @param to [String, Symbol] the channel (also `to:`), or with `match: :redis` a pattern of `* ? [a-z] [^x] \`
    # @param match [:redis, nil]
    # @param handler [#call] instead of the block
    # @yieldparam channel [String]
    # @yieldparam message [String] UTF-8, or binary if it isn't text
    # @return [String, Symbol] the name as given
    # @raise [ArgumentError] when the name or the block is missing
    # @raise [TypeError] when the name is neither String nor Symbol
    def subscribe(*arguments, **options, &block)
      subscription = PubSub::Subscription.read(arguments, options, block)
      raise ArgumentError, 'Iodine.subscribe needs a block' unless subscription.block

      PubSub::Subscriptions.add(subscription)
    end

    # Ends what {subscribe} began in this process.
    # @param name [String, Symbol]
    # @return [Boolean] false when there was nothing to end
    def unsubscribe(name)
      PubSub::Subscriptions.remove(name)
    end

    # @!method publish(to, message, engine = nil)
    #   Tells all who are subscribed to a channel, in every process; also as `publish(to:, message:, engine:)`. May be
    #   called from any thread, in a trap, and in processes that don't run iodine.
    #   @param to [String, Symbol]
    #   @param message [String] UTF-8 stays text, any other is binary
    #   @param engine [PubSub::Engine, nil, false] nil: {PubSub.default}; false: this process alone
    #   @return [true]
    #   @raise [TypeError] when the name is neither String nor Symbol, or the message no String
    #   @raise [ArgumentError] when one is missing
  end
end
