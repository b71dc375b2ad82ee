# frozen_string_literal: true

require 'uri'

module Iodine
  module Config
    # Words of Puma's configuration files. Those that iodine has under the same name are not among them.
    # @api private
    class Puma
      UNDERSTOOD = %i[
        threads port bind preload_app! before_worker_boot on_worker_shutdown before_worker_shutdown
      ].freeze
      # They do nothing here, and say so once.
      IGNORED = %i[
        activate_control_app after_booted after_refork after_stopped after_worker_boot after_worker_fork
        after_worker_shutdown app before_refork before_restart before_thread_exit before_thread_start
        before_worker_fork bind_to_activated_sockets clear_binds! cluster custom_logger debug default_host directory
        drain_on_shutdown early_hints enable_keep_alives extra_runtime_dependencies fiber_per_request
        first_data_timeout force_shutdown_after fork_worker http_content_length_limit idle_timeout io_selector_backend
        log_formatter log_requests lowlevel_error_handler max_fast_inline max_io_threads max_keep_alive
        mutate_stdout_and_stderr_to_sync_on_write nakayoshi_fork on_booted on_refork on_restart on_stopped
        on_thread_exit on_thread_start on_worker_fork out_of_band persistent_timeout plugin prune_bundler
        queue_requests quiet rack_url_scheme rackup raise_exception_on_sigterm restart_command set_default_host
        set_remote_address shutdown_debug silence_fork_callback_warning silence_single_worker_warning single ssl_bind
        state_path state_permission stdout_redirect supported_http_methods tag wait_for_less_busy_worker
        worker_boot_timeout worker_check_interval worker_culling_strategy worker_shutdown_timeout
      ].freeze
      WORDS = [*UNDERSTOOD, *IGNORED].freeze

      # @param script [Script] that uses them
      def initialize(script)
        @script = script
      end

      def has?(word)
        WORDS.include?(word)
      end

      def call(word, arguments, block)
        case word
        when :threads, :port, :bind then public_send(word, *arguments)
        when :preload_app! then preload(*arguments)
        when :before_worker_boot then Iodine.on_state(:enter_child, &block)
        when :on_worker_shutdown, :before_worker_shutdown then on_worker_shutdown(block)
        else ignore(word)
        end
      end

      # There are as many threads as that, always.
      def threads(min, max = min)
        set(:threads, max)
      end

      def port(port, host = nil)
        set(:port, port)
        set(:bind, host) if host
      end

      # What "tcp" means to Puma is "http" here, "ssl" is "https" with its files in the query.
      def bind(*urls)
        urls.each do |url|
          place, query = url.to_s.split('?', 2)
          set(:bind, place.sub(/\Atcp:/, 'http:').sub(/\Assl:/, 'https:'))
          use(URI.decode_www_form(query.to_s).to_h)
        end
      end

      private

      def set(word, *arguments)
        @script.set(Words::OPTIONS.fetch(word), word, arguments)
      end

      def use(parameters)
        set(:tls_cert, parameters.delete('cert')) if parameters['cert']
        set(:tls_key, parameters.delete('key')) if parameters['key']
        parameters.each_key { |name| ignore("bind's #{name}") }
      end

      def preload(answer = true) # rubocop:disable Style/OptionalBooleanParameter -- Puma's
        set(:no_preload, !answer)
      end

      # Puma has workers only in a cluster.
      def on_worker_shutdown(block)
        Iodine.on_state(:on_finish) { block.call unless Iodine.master? }
      end

      def ignore(word)
        Log.once(:"puma #{word}", "#{@script.path}: #{word}, a word of Puma, does nothing here: docs/from_puma.md")
      end
    end
  end
end
