# frozen_string_literal: true

# WebSocket echo, by the Rack upgrade of iodine, 0.7 and on.
class Echo
  def on_message(client, data)
    client.write(data)
  end
end
ECHO = Echo.new

run(lambda do |env|
  if env['rack.upgrade?'] == :websocket
    env['rack.upgrade'] = ECHO
    [200, {}, []]
  else
    [200, { 'content-type' => 'text/plain' }, ['ok']]
  end
end)
