# frozen_string_literal: true

require_relative 'peers'
require_relative 'gained'

module Iodine
  module Compatibility
    # A connection's callbacks object that passes each call on to an object with 0.2's callbacks, without the client.
    # It has on_open and on_close, to know which are open, and else those alone that the object has.
    class Adapter
      # Each is in a module of its own.
      PASSED = {
        on_message: Module.new { def on_message(_client, data) = object.on_message(data) },
        on_drained: Module.new { def on_drained(_client) = object.on_drained },
        on_shutdown: Module.new { def on_shutdown(_client) = object.on_shutdown },
        ping: Module.new { def ping(_client) = object.ping }
      }.freeze
      PLAIN = [Object, BasicObject, Module, Class].freeze

      @uuid = 0
      @lock = Mutex.new
      @kinds = {} # at most one for each set of callbacks

      class << self
        # @param object [Object] with 0.2's callbacks; it gains the methods of {Gained}
        # @param peers [Peers] whom it belongs to
        def for(object, peers)
          names = PASSED.keys.select { |name| object.respond_to?(name) }
          uuid, kind = @lock.synchronize { [@uuid += 1, @kinds[names] ||= make(names)] }
          kind.new(object, peers, uuid)
        end

        private

        def make(names)
          Class.new(self) { names.each { |name| include PASSED.fetch(name) } }
        end
      end

      # client: nil until it is open
      attr_reader :object, :uuid, :client

      def initialize(object, peers, uuid)
        @object = object
        @peers = peers
        @uuid = uuid
        lend(object.class)
        object.instance_variable_set(:@iodine_adapter, self)
      end

      def on_open(client)
        @client = client
        @peers.add(self)
        object.on_open if object.respond_to?(:on_open)
      end

      def on_close(_client)
        @peers.remove(self)
        object.on_close if object.respond_to?(:on_close)
      end

      # In turn with the callbacks.
      # @param block [Proc]
      # @return [Proc, nil] nil when it is closed
      def defer(block)
        return client&.defer(&block) if block.arity.zero?

        client&.defer { block.call(object) }
      end

      def others
        @peers.besides(self)
      end

      def count
        @peers.count
      end

      def find(uuid)
        @peers.find(uuid)
      end

      private

      # To the whole class, if that is the application's: an object alone would get a class of its own.
      def lend(kind)
        return if object.is_a?(Gained)

        PLAIN.include?(kind) ? object.extend(Gained) : kind.include(Gained)
      end
    end
  end
end
