# frozen_string_literal: true

# One channel, by the Rack upgrade of iodine, 0.7 and on. What any client sends is published; all WebSockets and event
# streams are subscribed but those that come by /pub.
class Chat
  def initialize(subscribes)
    @subscribes = subscribes
  end

  def on_open(client)
    client.subscribe 'chat' if @subscribes
  end

  def on_message(client, data)
    client.publish 'chat', data
  end
end
SUBSCRIBER = Chat.new(true)
PUBLISHER = Chat.new(false)

run(lambda do |env|
  if env['rack.upgrade?']
    env['rack.upgrade'] = env['PATH_INFO'] == '/pub' ? PUBLISHER : SUBSCRIBER
    [200, {}, []]
  else
    [200, { 'content-type' => 'text/plain' }, ['ok']]
  end
end)
