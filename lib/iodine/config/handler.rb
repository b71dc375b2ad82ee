# frozen_string_literal: true

require_relative '../config'
require_relative '../warmup'

module Iodine
  module Config
    # The configuration file for `rackup` and `rails server`, which have options of their own.
    # @api private
    class Handler
      # What rackup fills in by itself; Rails tells what is its user's.
      FILLED_IN = { Port: 9292, Host: 'localhost' }.freeze
      PLACE = { Port: :port, Host: :address }.freeze
      NUMBERS = { Threads: :threads, Workers: :workers }.freeze

      class << self
        # Before the application's own settings, where that is possible: those then see what the file says.
        def read_early
          @early = new({}).tap(&:read)
        end

        # @return [Handler]
        def read(options)
          early = @early
          @early = nil
          early || new(options).tap { |handler| handler.keeping_the_applications { handler.read } }
        end
      end

      # @param options [Hash] as the handler gets them
      def initialize(options)
        @sources = Sources.new(flags(options), Config.script)
      end

      # An error is one line, and the end.
      def read
        @sources.read
        @values = @sources.values
        PubSub::Redis.use(@values[:redis], @values[:redis_ping]) if file?(:redis) && PubSub.default == PubSub::CLUSTER
      rescue CLI::Option::Error => e
        warn "iodine: #{e.message}"
        exit CLI::USAGE
      end

      # What the application has set before this file is read stays as it is.
      def keeping_the_applications
        set = Settings.now.reject { |key, value| value == Settings::INITIAL[key] }
        yield
        Config.apply(set)
      end

      # Where to listen, for {Iodine.listen}. What the file says is left out: it is among the defaults.
      def place(options)
        PLACE.to_h { |name, key| [key, (options[name] if told?(name, options) || !file?(key))] }
      end

      # Runs the block while the PID file is there.
      def hold(&)
        PidFile.hold((@values[:pid] if file?(:pid)), &)
      end

      # What each serving process does first.
      # @return [#call, nil]
      def boot
        -> { Warmup.call(Listeners.apps) } if @values[:warmup]
      end

      private

      def file?(key)
        @sources.file?(key)
      end

      def told?(name, options)
        yours = options[:user_supplied_options]
        yours ? yours.include?(name) : options[name] && options[name] != FILLED_IN[name]
      end

      def flags(options)
        numbers = NUMBERS.filter_map { |name, key| [key, Integer(options[name])] if options[name] }
        numbers.to_h.merge(PLACE.filter_map { |name, key| [key, options[name]] if told?(name, options) }.to_h)
      end
    end
  end
end
