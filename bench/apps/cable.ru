# frozen_string_literal: true

require 'logger'
require 'concurrent'
require 'active_support'
require 'action_cable'

# Action Cable without Rails: what a client performs as "pub" goes to all who listen, "echo" comes back.
class ChatChannel < ActionCable::Channel::Base
  def subscribed
    stream_from 'chat' if params['listens']
  end

  def pub(data)
    ActionCable.server.broadcast('chat', { m: data['m'] })
  end

  def echo(data)
    transmit({ m: data['m'] })
  end
end

ActionCable.server.config.tap do |config|
  config.cable = { 'adapter' => 'async' }
  config.connection_class = -> { ActionCable::Connection::Base }
  config.disable_request_forgery_protection = true
  config.logger = Logger.new(nil)
end

run ActionCable.server
