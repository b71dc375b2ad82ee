# frozen_string_literal: true

# Names of older versions.
module Iodine
  # Names of older versions. Each warns once.
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
  end

  TOPLEVEL_BINDING.receiver.extend(Compatibility::Main)
end
