# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'The handshake of a WebSocket' do
  ECHOES = "#{ConnectionApp::ECHO}\n".freeze

  def ask(headers = {}, path: '/', early: '')
    dial.ask(Support::WebSocket.handshake(path, headers) + early)
  end

  context 'with one server' do
    before(:context) do
      @server = boot_upgrades(<<~'RUBY', app: <<~'APP')
        def on_message(client, data) = client.write("#{data} #{client.env['PATH_INFO']}")
      RUBY
        case env['PATH_INFO']
        when '/asks'
          told = env.slice('rack.upgrade?', 'upgrade.websocket?', 'upgrade.tcp?', 'rack.protocol')
          next [200, { 'content-type' => 'text/plain' }, [told.inspect]]
        when '/headers'
          env['rack.upgrade'] = Callbacks.new
          next [101, { 'set-cookie' => %w[a=1 b=2], 'sec-websocket-protocol' => 'chat', 'x-own' => 'yes' }, []]
        end
        status = Integer(env['QUERY_STRING'], exception: false) || 101
        env['rack.upgrade'] = Callbacks.new
        [status, [100, 101, 204].include?(status) ? {} : { 'content-type' => 'text/plain' }, ['the body']]
      APP
    end

    it 'is answered as RFC 6455 says' do
      socket = connect
      expect(socket.response.lines.map(&:first).map(&:downcase))
        .to contain_exactly('date', 'upgrade', 'connection', 'sec-websocket-accept')
      expect(socket.response['upgrade']).to eq('websocket')
      expect(socket.response['connection']).to match(/\Aupgrade\z/i)
      expect(socket.response['sec-websocket-accept']).to eq('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
      expect(socket.text('hello').receive).to eq('hello /')
    end

    it 'may name the protocol in a list, in any case' do
      [{ 'connection' => 'keep-alive, UPGRADE' }, { 'connection' => %w[keep-alive Upgrade] }, { 'upgrade' => 'WebSocket' },
       { 'upgrade' => 'other/1.0, websocket' }].each do |headers|
        expect(connect('/', headers).text('x').receive).to eq('x /')
      end
    end

    it 'is told to the application' do
      ask({}, path: '/asks').then do |response|
        expect(response.status).to eq(200)
        expect(response.body).to eq({ 'rack.upgrade?' => :websocket, 'upgrade.websocket?' => true,
                                      'rack.protocol' => ['websocket'] }.inspect)
      end
    end

    it 'is no handshake without its Connection, its Upgrade, a GET or HTTP/1.1' do
      expect(ask({ 'connection' => 'keep-alive' }, path: '/asks').body).not_to include(':websocket')
      expect(ask({ 'connection' => nil, 'upgrade' => nil }, path: '/asks').body).to eq({ 'rack.upgrade?' => nil }.inspect)
      expect(ask({ 'upgrade' => 'echo' }, path: '/asks').body).to include('"upgrade.tcp?"=>true')
      post = Support::WebSocket.handshake('/asks', 'content-length' => '0').sub('GET', 'POST')
      expect(dial.ask(post).body).not_to include(':websocket')
      old = Support::WebSocket.handshake('/asks').sub('HTTP/1.1', 'HTTP/1.0')
      expect(dial.ask(old).body).not_to include(':websocket')
    end

    {
      'of another version' => { 'sec-websocket-version' => '8' },
      'of no version' => { 'sec-websocket-version' => nil },
      'of two versions' => { 'sec-websocket-version' => %w[13 13] },
      'of a version in other digits' => { 'sec-websocket-version' => '013' }
    }.each do |what, headers|
      it "#{what} gets 426 with the version that would do" do
        response = ask(headers)
        expect([response.status, response['sec-websocket-version'], response['upgrade']]).to eq([426, '13', 'websocket'])
        expect(response['connection'].downcase).to include('close')
      end
    end

    {
      'without a key' => { 'sec-websocket-key' => nil },
      'with an empty key' => { 'sec-websocket-key' => '' },
      'with two keys' => { 'sec-websocket-key' => [Support::WebSocket::KEY] * 2 },
      'with a key of 15 bytes' => { 'sec-websocket-key' => ['a' * 15].pack('m0') },
      'with a key of 17 bytes' => { 'sec-websocket-key' => ['a' * 17].pack('m0') },
      'with a key that is no base64' => { 'sec-websocket-key' => 'dGhlIHNhbXBsZSBub25jZQ=!' },
      'with extensions that are no list' => { 'sec-websocket-extensions' => 'permessage-deflate; =;' }
    }.each do |what, headers|
      it("#{what} gets 400") { expect(ask(headers).status).to eq(400) }
    end

    [0, 100, 101, 200, 204, 299].each do |status|
      it "is accepted with status #{status}" do
        server = @server
        server = boot_upgrades(ECHOES, lint: false, app: <<~RUBY) if status.zero?
          env['rack.upgrade'] = Callbacks.new
          [0, {}, ['the body']]
        RUBY
        socket = connect("/?#{status}", server: server)
        expect(socket.response.reason).to eq('Switching Protocols')
        expect(socket.text('x').receive).to start_with('x')
      end
    end

    [300, 302, 400, 401, 404, 500].each do |status|
      it "is declined with status #{status}, as HTTP" do
        client = dial
        response = client.ask(Support::WebSocket.handshake("/?#{status}"))
        expect([response.status, response.body]).to eq([status, 'the body'])
        expect(response['sec-websocket-accept']).to be_nil
        expect(client.get('/asks').status).to eq(200)
      end
    end

    it 'is declined by an application that leaves it alone' do
      expect(ask({}, path: '/asks').status).to eq(200)
    end

    it 'carries the application\'s headers' do
      response = connect('/headers').response
      expect([response.all('set-cookie'), response['sec-websocket-protocol'], response['x-own']]).to eq([%w[a=1 b=2], 'chat', 'yes'])
    end

    it 'keeps the lines that are its own' do
      server = boot_upgrades(ECHOES, lint: false, app: <<~RUBY)
        env['rack.upgrade'] = Callbacks.new
        owned = %w[Upgrade connection sec-websocket-accept sec-websocket-extensions content-length]
        [200, owned.to_h { |name| [name, '7'] }.merge('transfer-encoding' => 'chunked', 'x-own' => 'yes'), ['the body']]
      RUBY
      socket = connect(server: server)
      expect(socket.response.lines.map(&:first).map(&:downcase))
        .to contain_exactly('date', 'upgrade', 'connection', 'sec-websocket-accept', 'x-own')
      expect(socket.text('x').receive).to eq('x')
    end

    it 'may come with frames in the same packet, and byte by byte' do
      frames = %w[one two three].map { |word| Support::WebSocket.frame(1, word) }.join
      socket = connect(early: frames)
      expect(Array.new(3) { socket.receive }).to eq(['one /', 'two /', 'three /'])
      client = dial
      (Support::WebSocket.handshake + frames).each_char { |byte| client.write(byte) }
      expect(client.receive.status).to eq(101)
      expect(client.read(5 + 2)).to end_with('one /')
    end

    it 'may come behind other requests, pipelined too' do
      client = dial
      client.write(("GET /asks HTTP/1.1\r\nhost: x\r\n\r\n" * 3) + Support::WebSocket.handshake)
      expect(Array.new(4) { client.receive.status }).to eq([200, 200, 200, 101])
      client.write(Support::WebSocket.frame(1, 'x'))
      expect(client.read(5)).to end_with('x /')
    end

    it 'of a Unix socket works as well' do
      path = File.join(work_dir, 'http.sock')
      boot_upgrades(ECHOES, setup: "Iodine.listen(service: :http, url: 'unix://#{path}', handler: APP)")
      client = Support::RawClient.unix(path)
      expect(Support::WebSocket.new(client).text('x').receive).to eq('x')
      client.close
    end
  end

  it 'closes the body once and sends nothing of it' do
    @server = boot_upgrades(ECHOES, lint: false, setup: <<~SETUP, app: <<~RUBY)
      class Body
        def each = log('each')
        def close = log('close')
      end
    SETUP
      env['rack.upgrade'] = Callbacks.new if env['rack.upgrade?']
      [200, {}, Body.new]
    RUBY
    expect(connect.text('x').receive).to eq('x')
    expect(stream.raw.closed_by_peer?(0.1)).to be(false)
    eventually { logged.size >= 2 }
    expect(logged).to eq(%w[close close])
  end

  it 'that raises, in the application or in respond_to?, is answered with 500' do
    @server = boot_upgrades(ECHOES, lint: false, app: <<~'RUBY')
      env['rack.upgrade'] = Class.new { def respond_to?(*) = raise('not telling') }.new
      raise 'on purpose' if env['PATH_INFO'] == '/raise'
      [200, {}, []]
    RUBY
    %w[/raise /].each { |path| expect(ask({}, path: path).status).to eq(500) }
    @server.wait_for('on purpose')
    @server.wait_for('not telling')
  end

  it 'with env set to nil or false is no upgrade' do
    @server = boot_upgrades(ECHOES, app: <<~RUBY)
      env['rack.upgrade'] = env['PATH_INFO'] == '/nil' ? nil : false
      [200, { 'content-type' => 'text/plain' }, ['plain']]
    RUBY
    %w[/nil /false].each { |path| expect(ask({}, path: path).body).to eq('plain') }
  end

  it 'takes a class or a module, whose own methods are the callbacks, and never makes an instance' do
    @server = boot_upgrades('', setup: <<~SETUP, app: <<~RUBY)
      module Talk
        def self.on_open(client) = client.write("module \#{client.handler.equal?(self)}")
      end
      class Speak
        def self.new = raise('an instance')
        def self.on_message(client, data) = client.write("class \#{data}")
      end
    SETUP
      env['rack.upgrade'] = env['PATH_INFO'] == '/module' ? Talk : Speak
      [101, {}, []]
    RUBY
    expect(connect('/module').receive).to eq('module true')
    expect(connect('/class').text('x').receive).to eq('class x')
  end

  context 'with allowed origins' do
    before(:context) do
      @server = boot_upgrades(ECHOES, listen: 'allowed_origin: ["https://example.com", "https://*.example.org"]')
    end

    it 'is open to those pages and to who is no page' do
      ['https://example.com', 'https://EXAMPLE.com:443', 'https://a.b.example.org', nil].each do |origin|
        expect(connect('/', { 'origin' => origin }).text('x').receive).to eq('x')
      end
    end

    it 'refuses others with 403' do
      ['http://example.com', 'https://example.com:444', 'https://example.org', 'https://evilexample.org', 'null', '',
       'https://example.com.evil.net', ['https://example.com', 'https://evil.net']].each do |origin|
        expect(ask({ 'origin' => origin }).status).to eq(403)
      end
    end

    it 'leaves requests that are no handshake alone' do
      expect(dial.get('/', 'origin' => 'https://evil.net').status).to eq(200)
    end
  end
end
