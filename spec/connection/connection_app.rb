# frozen_string_literal: true

# Scripts with a raw listener, for the specs of connections.
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

  # The lines that the callbacks have logged; those of the connection that waited for the port are left out.
  def logged(server = @server)
    server.stdout.lines(chomp: true)
  end

  ECHO = 'def on_message(client, data) = client.write(data)'
end

RSpec.configure { |config| config.include ConnectionApp }
