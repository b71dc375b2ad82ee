# frozen_string_literal: true

# Says what it hears: raw TCP, without HTTP. bin/iodine examples/echo/echo.rb, then: nc localhost 3000
require 'iodine'

# The callbacks of one connection.
class Echo
  def on_open(client)
    client.timeout = 60 # seconds without a byte: who has no ping callback is closed then
  end

  # What the client doesn't read waits, up to `max_pending`; this thread never does.
  def on_message(client, data)
    client.write(data)
  end

  def on_shutdown(client)
    client.write("The server stops.\n")
  end
end

Iodine.listen(service: :raw) { Echo.new }
Iodine.start
