# frozen_string_literal: true

module Iodine
  # Who is told what is published, and how it gets there.
  module PubSub
    # How messages get from one process to others. Subclass it to reach beyond the cluster:
    #
    #     class Radio < Iodine::PubSub::Engine
    #       def publish(to, message) = RADIO.send(to, message)
    #       def subscribe(to, match) = RADIO.tune_in(to)
    #       def unsubscribe(to, match) = RADIO.tune_out(to)
    #     end
    #     Iodine::PubSub.default = Radio.new
    #
    # What comes from outside is published with another engine, such as `Iodine::PubSub::CLUSTER`.
    class Engine
      # @return [Engine] whether or not a subclass calls super
      def self.new(...)
        super.tap { |engine| Root.number(engine) }
      end

      # A name has its first subscriber in this process (in the root: in any). Told once a name.
      # @param to [String] the name
      # @param match [true, nil] true for a pattern
      def subscribe(to, match = nil); end

      # It has none any more.
      # @param to [String] the name
      # @param match [true, nil] true for a pattern
      def unsubscribe(to, match = nil); end

      # @param to [String] the channel
      # @param message [String]
      def publish(to, message)
        raise NotImplementedError, "#{self.class} has no publish: define publish(to, message)"
      end

      # See {Root}.
      # @api private
      def told(payload); end

      # @api private
      def asked(_payload)
        yield nil
      end
    end

    # Those that need no Ruby.
    # @api private
    class Native < Engine
      def initialize(name)
        super()
        @name = name
      end

      # @return [true]
      def publish(to, message)
        Iodine.publish(to, message, self)
      end

      def inspect
        "Iodine::PubSub::#{@name}"
      end
      alias to_s inspect
    end
    private_constant :Native

    # Every process of the cluster: the root and its workers. The default.
    CLUSTER = Native.new(:CLUSTER)
    # This process alone.
    PROCESS = Native.new(:PROCESS)
    # The other processes of the cluster.
    SIBLINGS = Native.new(:SIBLINGS)
    # The root process alone.
    PUBLISH2ROOT = Native.new(:PUBLISH2ROOT)
    Server.scopes = [CLUSTER, PROCESS, SIBLINGS, PUBLISH2ROOT]
  end
end
