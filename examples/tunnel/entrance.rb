# frozen_string_literal: true

# The near side of the tunnel: a port that leads to another machine's. While config.ru is served on port 3000:
# bin/iodine -p 6380 examples/tunnel/entrance.rb, then: redis-cli -p 6380
require 'iodine'
require 'uri'
require_relative 'tunnel'

# Who connects here comes out at the place, by way of the server.
class Entrance < Tunnel
  SERVER = URI(ENV.fetch('TUNNEL_SERVER', 'http://localhost:3000'))
  PLACE = ENV.fetch('TUNNEL_PLACE', 'localhost:6379')

  def initialize
    super("tcp://#{SERVER.host}:#{SERVER.port}")
  end

  private

  def far_end(near)
    Door.new(near, self)
  end

  # The server, which is asked to open.
  class Door < Far
    def on_open(far)
      @answer = +''
      far.write("GET /#{PLACE} HTTP/1.1\r\nhost: #{SERVER.host}\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n")
    end

    def on_message(far, data)
      return super unless @answer

      @answer << data
      head, rest = @answer.split("\r\n\r\n", 2)
      rest ? answered(far, head, rest) : (far.close if @answer.bytesize > EARLY)
    end

    private

    def answered(far, head, rest)
      return far.close unless head.start_with?('HTTP/1.1 101 ')

      @answer = nil
      @near.defer { @tunnel.join(far) } || far.close
      @near.write(rest)
    end
  end
end

Iodine.listen(service: :raw, address: 'localhost') { Entrance.new }
Iodine.start
