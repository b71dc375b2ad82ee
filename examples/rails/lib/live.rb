# frozen_string_literal: true

# A WebSocket beside Rails: /live tells whoever has the list of notes open of new ones. As a middleware it comes after
# those of cookies and session, and before the routes.
class Live
  # The callbacks, of all connections.
  module Reader
    def self.on_open(client)
      client.subscribe('notes') # what is published there goes to the client without Ruby
      read = ActionDispatch::Request.new(client.env).session[:read].to_i
      client.write({ read: read }.to_json)
    end
  end

  def initialize(app)
    @app = app
  end

  def call(env)
    return @app.call(env) unless env['PATH_INFO'] == '/live' && env['rack.upgrade?'] == :websocket
    # Cookies come with the handshake, whatever site's page asked for it.
    return [403, {}, []] unless env['HTTP_ORIGIN'] == ActionDispatch::Request.new(env).base_url

    env['rack.upgrade'] = Reader
    [200, {}, []]
  end
end
