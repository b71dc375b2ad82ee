# frozen_string_literal: true

require 'open3'
require 'timeout'

require_relative 'light_bundle'

module Support
  # Short Ruby programs that use the gem, in processes of their own.
  module RubyRunner
    HELLO = "run ->(env) { [200, { 'content-type' => 'text/plain' }, [\"\#{Process.pid} \#{env['PATH_INFO']}\"]] }\n"

    # Runs the source to its end.
    # @return [Array(String, String, Process::Status)] stdout, stderr, status
    def run_ruby(source, env: {})
      names = %w[PORT ADDRESS THREADS WORKERS WEB_CONCURRENCY RAILS_MAX_THREADS RACK_ENV RAILS_ENV RACK_HANDLER]
      clean = names.to_h { |name| [name, nil] }.merge('LD_PRELOAD' => ENV.fetch('IODINE_SPEC_PRELOAD', nil))
                   .merge(LightBundle.env(env), env)
      Timeout.timeout(20 * Deadline::SLOWER) { Open3.capture3(clean, *ruby, '-r', 'iodine', '-e', source) }
    end

    # What the source writes to stdout.
    def ruby_output(source, env: {})
      out, err, status = run_ruby(source, env: env)
      raise "the program failed: #{err}" unless status.success?

      out
    end

    # Boots the CLI with a plain application, and returns the server.
    def boot_hello(*args, **options)
      boot(HELLO, *args, lint: false, **options)
    end

    # The process that answers.
    def answering_pid(server = @server)
      server.get.body.to_i
    end
  end
end

RSpec.configure { |config| config.include Support::RubyRunner }
