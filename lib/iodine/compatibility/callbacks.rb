# frozen_string_literal: true

require_relative 'adapter'

module Iodine
  module Compatibility
    # Callbacks objects by the rules of 0.2, made to work by today's: a class has an instance for each connection, and
    # callbacks come without the client.
    module Callbacks
      WEBSOCKETS = Peers.new
      RAW = Peers.new

      class << self
        # @param handler [Object, Class] of env["upgrade.websocket"]
        # @return [Adapter, nil]
        def websocket(handler, env)
          adapt(handler.is_a?(Class) ? instance(handler, env) : handler, WEBSOCKETS)
        end

        # @param handler [Object, Class] of env["upgrade.tcp"]
        # @return [Object, nil] the handler itself, if it has today's callbacks
        def tcp(handler, env)
          return handler unless old?(handler)

          adapt(handler.is_a?(Class) ? instance(handler, env) : handler, RAW)
        end

        # @param protocol [Class] of Iodine.listen PORT, Class
        # @return [Adapter, nil]
        def raw(protocol)
          adapt(instance(protocol, nil), RAW)
        end

        private

        def adapt(object, peers)
          object && Adapter.for(object, peers)
        end

        # With the env, if it takes it and there is one.
        def instance(protocol, env)
          taker = protocol.method(:new)
          taker = protocol.instance_method(:initialize) if taker.owner == Class
          takes?(taker, 1) && (env || !takes?(taker, 0)) ? protocol.new(env) : protocol.new
        end

        # Does its on_message take the data alone? A class's instances count, if it has no such method itself.
        def old?(handler)
          method = method_of(handler, :on_message)
          !method.nil? && takes?(method, 1) && !takes?(method, 2)
        end

        def method_of(handler, name)
          return handler.method(name) if handler.respond_to?(name)

          handler.instance_method(name) if handler.is_a?(Class) && handler.method_defined?(name)
        end

        # @param count [Integer] of arguments
        def takes?(method, count)
          return count.zero? if method.owner == BasicObject # whose initialize says that it takes any

          required = method.arity.negative? ? -method.arity - 1 : method.arity
          most = method.parameters.count { |kind, _| %i[req opt].include?(kind) }
          count >= required && (count <= most || method.parameters.assoc(:rest))
        end
      end
    end
  end
end
