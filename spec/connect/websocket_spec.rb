# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'Iodine.connect to a WebSocket' do
  def connect_to(path = '/', options = '', callbacks: '')
    listen
    boot_client(%(CONNECT.call(url: "ws://127.0.0.1:#{@port}#{path}"#{", #{options}" unless options.empty?})),
                callbacks: callbacks)
    accept_websocket
  end

  describe 'asks' do
    it 'by a GET with a key that nobody can foretell' do
      listen
      boot_client(%(2.times { CONNECT.call(url: "ws://127.0.0.1:#{@port}") }))
      first, second = Array.new(2) { accept_websocket }
      expect(first.request).to start_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:#{@port}\r\n")
      expect(first['upgrade']).to eq('websocket')
      expect(first['connection']).to eq('Upgrade')
      expect(first['sec-websocket-version']).to eq('13')
      expect(first['sec-websocket-key'].unpack1('m0').bytesize).to eq(16)
      expect(first['sec-websocket-key']).not_to eq(second['sec-websocket-key'])
    end

    it 'for path and query, without the fragment, with headers and cookies' do
      peer = connect_to('/chat?room=1&x=%20#part', <<~RUBY.delete("\n"))
        headers: { 'Origin' => 'https://example.com', 'X-Two' => %w[a b], Authorization: 'Bearer x' },
         cookies: { session: 'abc', 'other' => 1 }
      RUBY
      expect(peer.request).to start_with("GET /chat?room=1&x=%20 HTTP/1.1\r\n")
      expect(peer['origin']).to eq('https://example.com')
      expect(peer.request).to include("\r\nX-Two: a\r\nX-Two: b\r\n")
      expect(peer['authorization']).to eq('Bearer x')
      expect(peer['cookie']).to eq('session=abc; other=1')
    end

    it 'with another host, method and body' do
      peer = connect_to('/', "headers: { 'host' => 'example.com' }, method: :POST, body: 'hello'")
      expect(peer.request).to start_with("POST / HTTP/1.1\r\nHost: example.com\r\n")
      expect(peer['content-length']).to eq('5')
      expect(peer.raw.read(5)).to eq('hello')
    end

    it 'for sub-protocols, of which one may be chosen' do
      peer = connect_to('/', "headers: { 'Sec-WebSocket-Protocol' => %w[chat superchat] }")
      expect(peer['sec-websocket-protocol']).to eq('chat, superchat')
      peer.answer("sec-websocket-protocol: superchat\r\n")
      expect_told('open websocket true')
    end

    it 'the same when address, port and path are given apart' do
      listen
      boot_client(%(CONNECT.call(service: :ws, address: 'localhost', port: '#{@port}', path: 'a/b?c')))
      peer = accept_websocket
      expect(peer.request).to start_with("GET /a/b?c HTTP/1.1\r\nHost: localhost:#{@port}\r\n")
    end

    it 'over a Unix socket' do
      path = File.join(work_dir, 'socket')
      listener = UNIXServer.new(path)
      boot_client(%(CONNECT.call(service: :ws, address: '#{path}', port: 0, path: '/chat')))
      peer = ConnectApp::Peer.new(accept(listener))
      expect(peer.request).to start_with("GET /chat HTTP/1.1\r\nHost: localhost\r\n")
      peer.answer.frame(1, 'hello')
      expect_told('open websocket true', 'message text hello')
      listener.close
    end
  end

  it 'hears text and binary, also what came with the answer, and sends masked frames' do
    peer = connect_to('/', callbacks: <<~RUBY)
      def on_message(client, data)
        log('message', kind(data), data)
        client.write(data.encoding == Encoding::UTF_8 ? "\u00e4" : data)
      end
    RUBY
    peer.answer(early: Support::WebSocket.frame(1, 'first', mask: nil) + Support::WebSocket.frame(2, 'second', mask: nil))
    expect(peer.read_frame).to eq([1, "\u00e4".b])
    expect(peer.read_frame).to eq([2, 'second'])
    expect_told('open websocket true', 'message text first', 'message binary second')
  end

  it 'reads an answer that comes byte by byte, after interim ones' do
    peer = connect_to
    answer = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 101\r\nUpgrade: WebSocket\r\n" \
             "Connection: keep-alive, upgrade\r\n" \
             "Sec-WebSocket-Accept: #{Support::WebSocket.accept(peer['sec-websocket-key'])}\r\n\r\n"
    answer.each_char { |byte| peer.raw.write(byte) }
    expect_told('open websocket true')
  end

  it 'gives code and reason of the server\'s close, and answers it' do
    peer = connect_to.answer.frame(8, "#{[4001].pack('n')}go away")
    expect(peer.read_frame).to eq([8, [4001].pack('n')])
    expect(peer.raw.closed_by_peer?).to be(true)
    expect_told('open websocket true', 'close false 4001 "go away"')
  end

  it 'closes with code and reason, and waits for the answer' do
    peer = connect_to('/', callbacks: 'def on_open(client) = client.close(4002, "enough")').answer
    expect(peer.read_frame).to eq([8, "#{[4002].pack('n')}enough"])
    peer.frame(8, [4002].pack('n'))
    expect_told('close false 4002 nil')
  end

  it 'tells 1006 when the server goes without a goodbye' do
    connect_to.answer.raw.close
    expect_told('open websocket true', 'close false 1006 nil')
  end

  it 'refuses frames that are masked, since a server masks none' do
    peer = connect_to.answer
    peer.raw.write(Support::WebSocket.frame(1, 'masked'))
    expect(peer.read_frame).to eq([8, [1002].pack('n')])
    expect_told('open websocket true', 'close false 1002 nil')
  end

  it 'refuses messages over max_msg' do
    peer = connect_to('/', 'max_msg: 1').answer.frame(1, 'x' * 1024).frame(1, 'x' * 1025)
    expect(peer.read_frame).to eq([8, [1009].pack('n')])
    expect_told('open websocket true', "message text #{'x' * 1024}", 'close false 1009 nil')
  end

  it 'answers pings, sends its own after ping: seconds, and gives up who does not answer them' do
    peer = connect_to('/', 'ping: 1').answer.frame(9, 'there?')
    expect(peer.read_frame).to eq([10, 'there?'])
    expect(peer.read_frame).to eq([9, ''])
    peer.frame(10, '')
    expect(peer.read_frame).to eq([9, ''])
    expect(peer.raw.closed_by_peer?).to be(true)
    expect_told('open websocket true', 'close false 1006 nil')
  end

  it 'subscribes and publishes as any connection' do
    peer = connect_to('/', callbacks: <<~RUBY).answer
      def on_open(client)
        client.subscribe(:news)
        client.publish(:news, 'published')
        Iodine.publish(:news, "\\xFF".b)
      end
    RUBY
    expect(peer.read_frame).to eq([1, 'published'])
    expect(peer.read_frame).to eq([2, "\xFF".b])
  end

  it 'sends much to a server that reads in its own time, and tells when it is out' do
    peer = connect_to('/', callbacks: <<~RUBY).answer
      def on_open(client) = 3.times { |n| client.write(n.to_s * 1_000_000) }
      def on_drained(client) = log('drained', client.pending)
    RUBY
    3.times { |n| expect(peer.read_frame.last).to eq(n.to_s * 1_000_000) }
    expect_told('drained 0')
  end

  it 'talks to an iodine server, whose application sees its request' do
    @server = boot(<<~RUBY, '-t', '2')
      class Mirror
        def on_open(client)
          env = client.env
          client.write(env.values_at('PATH_INFO', 'QUERY_STRING', 'HTTP_HOST', 'HTTP_COOKIE', 'HTTP_X_NAME').inspect)
        end
        def on_message(client, data) = client.write(data)
      end
      run ->(env) { env['rack.upgrade'] = Mirror.new if env['rack.upgrade?'] == :websocket; [200, {}, []] }
    RUBY
    boot_client(<<~RUBY, callbacks: <<~MORE)
      CONNECT.call(url: 'ws://127.0.0.1:#{@server.port}/chat?x=1', headers: { 'X-Name' => 'Ann' }, cookies: { a: 1 })
    RUBY
      def on_open(client)
        client.write('text')
        client.write("\\x00\\xFF" * 50_000)
      end
      def on_message(client, data)
        log('message', kind(data), data.bytesize > 1000 ? data.sum : data)
        client.close if data.bytesize > 1000
      end
    MORE
    expect_told("message text #{['/chat', 'x=1', "127.0.0.1:#{@server.port}", 'a=1', 'Ann'].inspect}",
                'message text text', "message binary #{("\x00\xFF".b * 50_000).sum}", 'close false 1000 nil')
  end
end
