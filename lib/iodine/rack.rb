# frozen_string_literal: true

module Iodine
  # What `rackup -s iodine` and `rails s -u iodine` call.
  module Rack
    IODINE_RACK_LOADED = true
    DEVELOPMENT = [nil, '', 'development'].freeze
    DEVELOPMENT_THREADS = 4

    # What the handlers' `-O NAME=VALUE` takes.
    OPTIONS = {
      'Host=HOST' => 'The address to listen on (default: localhost)',
      'Port=PORT' => 'The port to listen on (default: 9292)',
      'Threads=NUM' => 'Application threads of each worker',
      'Workers=NUM' => 'Worker processes (1: no fork)'
    }.freeze

    class << self
      # Serves the application until it is stopped; ^C ends it at once.
      # @param app [#call] a Rack application
      # A configuration file, config/iodine.rb, is read if it is there.
      # @param options [Hash] `:Host`, `:Port`, `:Threads`, `:Workers`; others are ignored
      # @return [Module] Iodine
      # @raise [RuntimeError] when it can't be bound
      def run(app, options = {})
        require_relative 'config/handler'
        config = Config::Handler.read(options)
        be_one_process if development? && Iodine.threads.zero? && Iodine.workers.zero?
        Iodine.listen(service: :http, handler: app, **config.place(options))
        yield self if block_given?
        config.hold { Launch.new(boot: config.boot, hasty: true).run }
        Iodine
      end

      # @return [Module] Iodine
      def shutdown
        Iodine.stop
      end

      # @return [Hash{String => String}]
      def valid_options
        OPTIONS
      end

      # 0.2's name for the folder of static files.
      def public=(folder)
        DEFAULT_SETTINGS[:public] = folder
      end

      # @return [String, nil]
      def public
        DEFAULT_SETTINGS[:public]
      end

      private

      # In development, where a debugger works and code is loaded again, unless somebody said otherwise.
      def be_one_process
        Iodine.threads = DEVELOPMENT_THREADS
        Iodine.workers = 1
      end

      def development?
        DEVELOPMENT.include?(ENV['RAILS_ENV'] || ENV.fetch('RACK_ENV', nil))
      end
    end
  end
end

ENV['RACK_HANDLER'] ||= 'iodine'
ENV['RACKUP_HANDLER'] ||= ENV.fetch('RACK_HANDLER') # what newer versions of rackup ask for
