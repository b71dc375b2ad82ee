# frozen_string_literal: true

require_relative 'compatibility/callbacks'

# Names and rules of older versions.
module Iodine
  # Names of older versions, each of which warns once, and the rules of 0.2.
  # @api private
  module Compatibility
    STATES = {
      before_fork: :before_fork, after_fork: :after_fork, after_fork_in_worker: :enter_child,
      after_fork_in_master: :enter_master, on_shutdown: :on_finish
    }.freeze
    MAIN_STATES = STATES.merge(on_worker_boot: :enter_child, on_worker_fork: :before_fork).freeze

    def self.state(name, state, block)
      Log.once(name, "#{name} is an old name: use Iodine.on_state(#{state.inspect})")
      Iodine.on_state(state, &block)
    end

    # On main, where config files are read.
    module Main
      MAIN_STATES.each do |name, state|
        define_method(name) { |&block| Compatibility.state(name, state, block) }
      end
      private(*MAIN_STATES.keys)
    end

    # 0.2's listen PORT, Class?
    def self.listen?(arguments)
      arguments.first.is_a?(Integer) || arguments.first.is_a?(String)
    end

    # @param protocol [Class] has an instance for each connection; its @timeout is in seconds
    # @return [Class] the protocol
    # @raise [ArgumentError, TypeError]
    def self.listen(port, protocol = nil, **options)
      unless protocol.is_a?(Class)
        raise TypeError, "listen PORT, PROTOCOL needs a class, not #{protocol.class}: use keywords for anything else"
      end

      timeout = protocol.instance_variable_get(:@timeout)
      options = { timeout: timeout.clamp(Raw::SECONDS) }.merge(options) if timeout.is_a?(Integer)
      Iodine.listen(**options, service: :raw, port: port, handler: -> { Callbacks.raw(protocol) })
      protocol
    end
  end
  private_constant :Compatibility

  class << self
    Compatibility::STATES.each do |name, state|
      define_method(name) { |&block| Compatibility.state(name, state, block) }
    end

    # @deprecated Use {listen}.
    def listen2http(**options, &)
      Log.once(:listen2http, 'listen2http is an old name: use Iodine.listen(service: :http)')
      listen(**options, service: :http, &)
    end

    # 0.2's name of {workers=}.
    def processes=(number)
      self.workers = number
    end

    # 0.2's name of {workers}.
    def processes
      workers
    end

    # Replaces the URL decoding of `Rack::Utils` by a faster one with the same results. Needs rack.
    # @return [Module] Iodine
    def patch_rack
      require_relative 'url_decoding'
      [::Rack::Utils.singleton_class, ::Rack::Utils, ::Rack::QueryParser].each { |place| place.prepend(UrlDecoding) }
      self
    end

    private

    # What C asks for callbacks by the rules of 0.2.
    # @param handler [Object] of env["upgrade.websocket"], or of env["upgrade.tcp"] if tcp
    # @return [Object, nil] a callbacks object by today's rules
    def old_callbacks(handler, env, tcp)
      tcp ? Compatibility::Callbacks.tcp(handler, env) : Compatibility::Callbacks.websocket(handler, env)
    end
  end

  TOPLEVEL_BINDING.receiver.extend(Compatibility::Main)
end
