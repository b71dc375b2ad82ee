# frozen_string_literal: true

require_relative '../application'
require_relative '../config'
require_relative '../warmup'
require_relative 'report'

module Iodine
  module CLI
    # Loads the application as the options say, and serves it.
    # @api private
    class Command
      CONFIG_RU = 'config.ru'

      # @param flags [Hash] of the options
      # @param files [Array<String>] at most one
      def initialize(flags, files)
        @flags = @values = flags
        @files = files
        @file = files.first || (CONFIG_RU if File.file?(CONFIG_RU))
        check_files
      end

      # @raise [Option::Error]
      def configure
        Inherited.left # before anybody starts programs
        ENV['RACK_ENV'] = @flags[:environment] if @flags[:environment]
        use_redis
        @sources = Config::Sources.new(@flags, Config.script(@flags[:config]))
        @sources.read
        @values = @sources.values
        check_redis
      end

      def nothing_to_do?
        @file.nil? && !@values[:public]
      end

      # Prints what is in force.
      # @raise [Option::Error]
      def report
        Report.new(@file, @values, @sources).print
      end

      # Returns when it has been served.
      def run
        ENV['RACK_ENV'] = @values[:environment] if @values[:environment]
        PidFile.hold(@values[:pid]) do
          use_redis if @sources.file?(:redis)
          script? ? run_script : serve
        end
      end

      private

      def check_files
        raise Option::Error, "only one application can be served, not #{@files.size}: name one file" if @files.size > 1
        raise Option::Error, "#{@file} is neither a .ru nor a .rb file" if @file && !@file.match?(/\.(?:ru|rb)\z/)

        [@file, @flags[:config]].compact.each do |file|
          raise Option::Error, "there is no file #{file}: check its path" unless File.file?(file)
        end
      end

      def check_redis
        return if redis || !@values[:redis_ping]

        raise Option::Error, '-rp is of no use without a Redis: -r redis://localhost:6379'
      end

      def redis
        url = @values[:redis] || ENV.fetch('IODINE_REDIS_URL', '')
        url unless url.empty?
      end

      # Before the application, which may already publish, and may choose another engine.
      def use_redis
        PubSub::Redis.check(redis) if redis
        PubSub::Redis.use(redis, @values[:redis_ping]) if redis
      rescue ArgumentError, LoadError => e
        raise Option::Error, e.message
      end

      def script?
        @file&.end_with?('.rb')
      end

      # It may have started, and stopped, by itself.
      def run_script
        load File.expand_path(@file)
        launch unless Runtime.ran?
      end

      def serve
        load_application if @file
        # After the application, which may change the defaults.
        Iodine.listen(service: :http, handler: @application&.to_app)
        launch
      end

      def load_application
        Public.app_folder = File.dirname(File.expand_path(@file))
        @application = Application.new(@file)
        @application.load unless @values[:no_preload]
      end

      def launch
        Launch.new(boot: method(:boot)).run
      end

      # In each process that serves.
      # @return [Boolean] something was loaded
      def boot
        loads = @application && @values[:no_preload]
        Late.loading { @application.load } if loads
        Warmup.call(Listeners.apps) if @values[:warmup]
        loads || @values.fetch(:warmup, false)
      end
    end
  end
end
