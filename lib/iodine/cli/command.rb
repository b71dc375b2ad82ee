# frozen_string_literal: true

require_relative '../application'
require_relative '../config_file'
require_relative '../pid_file'
require_relative '../warmup'

module Iodine
  module CLI
    # Loads the application as the options say, and serves it.
    # @api private
    class Command
      SETTINGS = %i[port address log timeout max_body max_headers max_clients backlog head_timeout body_timeout
                    write_timeout shutdown_timeout max_per_address max_queue queue_timeout request_timeout
                    tls max_pending ping max_msg allowed_origin public max_age sendfile_root no_symlinks trusted_proxy
                    proxy_protocol].freeze
      CONFIG_RU = 'config.ru'
      SCHEMES = [nil, 'http', 'ws', 'unix', 'https', 'wss'].freeze

      # @param values [Hash] of the options
      # @param files [Array<String>] at most one
      def initialize(values, files)
        @values = values
        @files = files
        @file = files.first || (CONFIG_RU if File.file?(CONFIG_RU))
      end

      def nothing_to_do?
        @file.nil? && !@values[:public]
      end

      # @raise [Option::Error]
      def check
        raise Option::Error, "only one application can be served, not #{@files.size}: name one file" if @files.size > 1
        raise Option::Error, "#{@file} is neither a .ru nor a .rb file" if @file && !@file.match?(/\.(?:ru|rb)\z/)

        [@file, @values[:config]].compact.each do |file|
          raise Option::Error, "there is no file #{file}: check its path" unless File.file?(file)
        end
        check_options
      end

      # Returns when it has been served.
      def run
        ENV['RACK_ENV'] = @values[:environment] if @values[:environment]
        apply
        PidFile.hold(@values[:pid]) do
          use_redis
          read_config if @values[:config]
          script? ? run_script : serve
        end
      end

      private

      def endpoint(address)
        parsed = Endpoint.parse(address, 0)
        return parsed if SCHEMES.include?(parsed.scheme)

        raise Option::Error, "-b #{address} is not available in this version of iodine: use http"
      rescue ArgumentError => e
        raise Option::Error, "-b: #{e.message}"
      end

      def check_options
        Encryption.read(@values, @values.fetch(:address, []).map { |address| endpoint(address) })
        check_folders
        check_proxies
        check_origins
        check_redis
      end

      def check_folders
        { public: '-www', sendfile_root: '--sendfile-root' }.each do |key, option|
          Array(@values[key]).each { |folder| Public.expand(option, folder) }
        end
      rescue ArgumentError => e
        raise Option::Error, e.message
      end

      def check_proxies
        @values.fetch(:trusted_proxy, []).each { |network| Proxies.check(network, '--trusted-proxy') }
      rescue ArgumentError => e
        raise Option::Error, e.message
      end

      def check_redis
        return PubSub::Redis.check(redis) if redis
        raise Option::Error, '-rp is of no use without a Redis: -r redis://localhost:6379' if @values[:redis_ping]
      rescue ArgumentError, LoadError => e
        raise Option::Error, e.message
      end

      def check_origins
        @values.fetch(:allowed_origin, []).each { |origin| Origins.check(origin, '--allowed-origin') }
      rescue ArgumentError => e
        raise Option::Error, e.message
      end

      def redis
        url = @values[:redis] || ENV.fetch('IODINE_REDIS_URL', '')
        url unless url.empty?
      end

      # Before the application, which may already publish, and may choose another engine.
      def use_redis
        PubSub::Redis.use(redis, @values[:redis_ping]) if redis
      end

      # The file sees what the environment and the options say, and can't change that.
      def read_config
        ConfigFile.load(@values[:config])
        Settings.read_environment
        apply
      end

      def apply
        Iodine.verbosity = @values[:verbosity] if @values[:verbosity]
        Iodine.threads = @values[:threads] if @values[:threads]
        Iodine.workers = @values[:workers] if @values[:workers]
        DEFAULT_SETTINGS.update(@values.slice(*SETTINGS))
        DEFAULT_SETTINGS[:deflate] = false if @values[:no_deflate]
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
      def boot
        Late.loading { @application.load } if @application && @values[:no_preload]
        Warmup.call(Listeners.apps) if @values[:warmup]
      end
    end
  end
end
