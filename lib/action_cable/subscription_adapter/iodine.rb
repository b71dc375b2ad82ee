# frozen_string_literal: true

require 'action_cable/subscription_adapter/base'
require 'action_cable/subscription_adapter/subscriber_map'
require 'iodine'

module ActionCable
  module SubscriptionAdapter
    # Action Cable's broadcasts by Iodine's pub/sub: they reach all workers, and with a Redis engine all machines. In
    # config/cable.yml:
    #
    #     production:
    #       adapter: iodine
    class Iodine < Base
      PREFIX = 'action_cable/' # apart from the application's own names
      private_constant :PREFIX

      def initialize(*)
        super
        @subscribers = Subscribers.new(@server.event_loop)
      end

      def broadcast(channel, payload)
        ::Iodine.publish("#{PREFIX}#{channel}", payload)
      end

      def subscribe(channel, callback, success_callback = nil)
        @subscribers.add_subscriber("#{PREFIX}#{channel}", callback, success_callback)
      end

      def unsubscribe(channel, callback)
        @subscribers.remove_subscriber("#{PREFIX}#{channel}", callback)
      end

      def shutdown
        @subscribers.shutdown
      end

      # One subscription of this process for each name. What comes is told on Action Cable's own loop.
      class Subscribers < SubscriberMap
        def initialize(event_loop)
          @event_loop = event_loop
          super()
        end

        def add_channel(name, on_success)
          ::Iodine.subscribe(name) { |_, message| broadcast(name, message) }
          @event_loop.post(&on_success) if on_success
        end

        def remove_channel(name)
          ::Iodine.unsubscribe(name)
        end

        def invoke_callback(*)
          @event_loop.post { super }
        end

        def shutdown
          @sync.synchronize { @subscribers.each_key { |name| remove_channel(name) } }
        end
      end
      private_constant :Subscribers
    end
  end
end
