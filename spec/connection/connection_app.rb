# frozen_string_literal: true

# Scripts with a listener, for the specs of connections.
module ConnectionApp
  # Runs a script whose callbacks are this class body's. `log` writes a line to stdout.
  #
  # @param listen [String] more arguments of Iodine.listen
  def boot_raw(callbacks, threads: 2, listen: '', setup: '', env: {})
    boot_script(<<~RUBY, env: env)
      $stdout.sync = true
      def log(*words) = $stdout.write(words.join(' ') + "\n")
      Iodine.threads = #{threads}
      Iodine.workers = 1
      class Callbacks
        #{callbacks}
      end
      #{setup}
      Iodine.listen(service: :raw, address: '127.0.0.1', port: ENV.fetch('PORT') #{", #{listen}" unless listen.empty?}) { Callbacks.new }
      Iodine.start
    RUBY
  end

  # The same over HTTP: requests that ask for a WebSocket or an event stream get it.
  #
  # @param app [String] the Rack application's body, of `env`; without it every such request is upgraded
  def boot_upgrades(callbacks, app: UPGRADE, threads: 2, listen: '', setup: '', lint: true, env: {})
    boot_script(<<~RUBY, env: env)
      require 'rack'
      $stdout.sync = true
      def log(*words) = $stdout.write(words.join(' ') + "\n")
      Iodine.threads = #{threads}
      Iodine.workers = 1
      class Callbacks
        #{callbacks}
      end
      APP = lambda do |env|
        #{app}
      end
      #{setup}
      Iodine.listen(service: :http, address: '127.0.0.1', port: ENV.fetch('PORT')#{", #{listen}" unless listen.empty?},
                    handler: #{lint ? 'Rack::Lint.new(APP)' : 'APP'})
      Iodine.start
    RUBY
  end

  # A WebSocket, closed after the example.
  def connect(path = '/', headers = {}, server: @server, deflate: nil, early: '', **options)
    Support::WebSocket.new(dial(server, **options), path, headers, deflate: deflate, early: early)
  end

  # An event stream, closed after the example.
  def stream(path = '/', headers = {}, server: @server, **options)
    Support::EventStream.new(dial(server, **options), path, headers)
  end

  # The lines that the callbacks have logged; those of the connection that waited for the port are left out.
  def logged(server = @server)
    server.stdout.lines(chomp: true)
  end

  UPGRADE = <<~RUBY
    env['rack.upgrade'] = Callbacks.new if env['rack.upgrade?']
    [200, { 'content-type' => 'text/plain' }, ['plain']]
  RUBY
  ECHO = 'def on_message(client, data) = client.write(data)'
end

RSpec.configure { |config| config.include ConnectionApp }
