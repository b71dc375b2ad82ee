# frozen_string_literal: true

# Scripts that connect, and the servers that they connect to, for the specs of Iodine.connect.
module ConnectApp
  # A script that listens nowhere. Its callbacks are this class body's, on top of those that log what they are told;
  # `log` writes a line to stdout.
  #
  # @param script [String] what it does before it starts: `CONNECT.call(url: …)` connects with the callbacks
  # @return [Support::Server] @client
  def boot_client(script, callbacks: '', threads: 2, workers: 1, env: {})
    dir = work_dir
    file = write_file(dir, 'client.rb', <<~RUBY)
      $stdout.sync = true
      def log(*words) = $stdout.write(words.join(' ') + "\n")
      Iodine.threads = #{threads}
      Iodine.workers = #{workers}
      class Callbacks
        def on_open(client) = log('open', client.protocol, client.open?)
        def on_message(_client, data) = log('message', kind(data), data)
        def kind(data) = { Encoding::UTF_8 => 'text', Encoding::BINARY => 'binary' }[data.encoding]
        def on_close(client) = log('close', client.open?, client.close_code.inspect, client.close_reason.inspect)
        #{callbacks}
      end
      CONNECT = ->(**options) { Iodine.connect(handler: Callbacks.new, **options) }
      #{script}
      log('starting')
      Iodine.start
      log('stopped')
    RUBY
    @client = launch([*ruby, '-r', 'iodine', file], port: nil, dir: dir, env: env)
  end

  # The lines that the callbacks have logged.
  def told
    @client.stdout.lines(chomp: true) - %w[starting stopped]
  end

  # Waits until these are all that was told.
  def expect_told(*lines)
    eventually(within: 20) { told.size >= lines.size }
    expect(told).to match(lines)
  end

  # A server of this process. Its port is @port.
  def listen
    @listener = TCPServer.new('127.0.0.1', 0).tap { |listener| cleanups << -> { listener.close } }
    @port = @listener.addr[1]
  end

  # The next connection to it.
  # @return [Support::RawClient]
  def accept(listener = @listener)
    raise 'nobody connects' unless listener.wait_readable(20 * Support::Deadline::SLOWER)

    Support::RawClient.new(listener.accept, timeout: 5).tap { |peer| cleanups << -> { peer.close } }
  end

  # The other end of a WebSocket that we are asked to open.
  class Peer
    attr_reader :raw, :request

    def initialize(raw)
      @raw = raw
      @request = +''
      @request << raw.read(1) until @request.end_with?("\r\n\r\n")
    end

    # @return [String, nil] a header's value
    def [](name)
      request[/^#{name}: ([^\r]*)\r$/i, 1]
    end

    # @param lines [String] more lines of the head
    # @param early [String] what goes out with it
    def answer(lines = '', early: '')
      raw.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" \
                "sec-websocket-accept: #{Support::WebSocket.accept(self['sec-websocket-key'])}\r\n#{lines}\r\n#{early}")
      self
    end

    def frame(opcode, payload)
      raw.write(Support::WebSocket.frame(opcode, payload, mask: nil))
      self
    end

    # @return [Array(Integer, String)] opcode and payload of the next frame, which must be masked
    def read_frame
      first, second = raw.read(2).unpack('CC')
      raise 'a client\'s frame is not masked' unless second.anybits?(0x80)

      length = second & 0x7f
      length = raw.read(2).unpack1('n') if length == 126
      length = raw.read(8).unpack1('Q>') if length == 127
      mask = raw.read(4)
      [first & 15, Support::WebSocket.mask(raw.read(length), mask)]
    end
  end

  # The next connection, as a WebSocket whose request was read.
  def accept_websocket
    Peer.new(accept)
  end
end

RSpec.configure { |config| config.include ConnectApp }
