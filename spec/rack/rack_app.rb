# frozen_string_literal: true

require 'json'

# One server for all examples of a group, with a Rack application given by its source. Extend a group with it.
module RackApp
  # @param source [String] Ruby that ends with a Rack application
  # @param lint [Boolean] wrap it in Rack::Lint
  # @param setup [String] Ruby that the server runs when it has loaded everything
  def rack_app(source, lint: true, threads: 4, setup: '', env: {})
    before(:context) { @server = boot_script(RackApp.script(source, lint, threads, setup), env: env) }
    before { @log_read = server.stderr.bytesize }
    include Methods
  end

  # Lint of Rack 2 gives bodies nothing but each: it checks env and head then, and the body goes on as it is.
  LINT = <<~RUBY
    if Rack.release < '3'
      ->(env) { Rack::Lint.new(plain).call(env).then { |(*head, body)| [*head, body.instance_variable_get(:@body)] } }
    else
      Rack::Lint.new(plain)
    end
  RUBY

  def self.script(source, lint, threads, setup)
    <<~RUBY
      require 'iodine'
      require 'rack'
      require 'rack/lint'
      require 'uri' # Lint of Rack 2 forgets it
      require 'json'
      Iodine.threads = #{threads}
      Iodine.workers = 1
      plain = begin
        #{source}
      end
      app = #{lint ? LINT : 'plain'}
      Iodine.listen(service: :http, address: '127.0.0.1', port: ENV.fetch('PORT'), handler: app)
      #{setup}
      Iodine.start
    RUBY
  end

  # What each example can call.
  module Methods
    def server
      @server
    end

    def get(path, headers = {})
      dial.get(path, headers)
    end

    def json(path, headers = {})
      JSON.parse(get(path, headers).body)
    end

    # What the server has logged since the example began.
    def log
      server.stderr.byteslice(@log_read..)
    end

    # The log, once it has the pattern.
    def log_with(pattern)
      Support::Deadline.new(5, "#{pattern.inspect} in the log").poll { log.match?(pattern) && log }
    rescue Support::Deadline::Passed => e
      raise "#{e.message}:\n#{log}"
    end
  end
end
