# frozen_string_literal: true

module Iodine
  # Who is told what is published, and how it gets there.
  module PubSub
    autoload :Redis, "#{__dir__}/pub_sub/redis"

    class << self
      # What {Iodine.publish} uses.
      # @return [Engine] {CLUSTER} at first
      def default
        @default || CLUSTER
      end

      # @param engine [Engine, nil] one of your own is attached, too; nil: {CLUSTER}
      # @raise [TypeError]
      def default=(engine)
        attach(engine) if engine
        Server.default_engine = @default = engine
      end

      # From now on the engine is told of the names that have subscribers in this process: those that are there, then
      # each one that comes or goes. Attached before {Iodine.start} it is so in every process; in the root these are the
      # names of all workers.
      # @param engine [Engine]
      # @return [Engine]
      # @raise [TypeError]
      def attach(engine)
        raise TypeError, "an engine must be an Iodine::PubSub::Engine, not #{engine.class}" unless engine.is_a?(Engine)
        return engine if engine.is_a?(Native)

        Late.too_late?('an engine of pub/sub')
        Engines.add(engine)
        engine
      end

      # It is told that these names are gone, and nothing any more. What is published with it still goes there.
      # @param engine [Engine]
      # @return [Engine]
      def detach(engine)
        Engines.remove(engine)
        engine
      end
      alias dettach detach

      # Tells an engine of all names again: it has lost its connection, or what it knew.
      # @param engine [Engine]
      # @return [Engine]
      def reset(engine)
        Engines.renew(engine)
        engine
      end

      # The subscriptions of the process are this server's.
      # @api private
      def open(server)
        Subscriptions.attach(server)
      end

      # It is linked to the other processes.
      # @api private
      def opened(server)
        Engines.attach(server)
        Root.attach(server)
      end

      # @api private
      def close
        Root.detach
        Engines.detach
        Subscriptions.detach
      end

      # In a forked worker: nothing of the root's is here.
      # @api private
      def reset_after_fork
        [Subscriptions, Engines, Root].each(&:reset)
      end
    end
  end
end

require_relative 'pub_sub/root'
require_relative 'pub_sub/engine'
require_relative 'pub_sub/engines'
require_relative 'pub_sub/notices'
require_relative 'pub_sub/subscription'
require_relative 'pub_sub/subscriptions'
