# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'env["upgrade.tcp"]' do
  REQUEST = "GET /%s HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"

  before(:context) do
    @server = boot_upgrades(<<~'RUBY', lint: false, setup: <<~'SETUP', app: <<~'APP')
      def on_open(client) = client.write("hello #{client.protocol} #{client.env['PATH_INFO']} #{client.timeout}\n")
      def on_message(client, data)
        return client.close if data == 'bye'
        client.write("#{data.encoding} #{data}")
      end
      def on_close(client) = log('closed', client.env['PATH_INFO'], client.close_code.inspect, client.open?)
    RUBY
      class Old
        def initialize(env) = (@env = env)
        def on_open = write("old #{@env['PATH_INFO']} #{count}\n")
        def on_message(data) = data == 'bye' ? close : write("old #{data}")
        def on_close = log('closed', @env['PATH_INFO'], count)
      end
      class Today
        def self.on_message(client, data) = client.write("class #{data}")
      end
      class Silent
        def on_open(client) = client.write("silent\n")
      end
      ONE = Class.new(Old) { def initialize = super({ 'PATH_INFO' => 'one' }) }
      KINDS = { '/old' => Old, '/instance' => ->(env) { Old.new(env) }, '/class' => Today, '/silent' => Silent.new, '/one' => ONE,
                '/any' => Class.new { def self.on_message(*all) = all.first.write("any #{all.size}") } }
    SETUP
      path = env['PATH_INFO']
      next [200, { 'content-type' => 'text/plain' }, [env.slice('rack.upgrade?', 'upgrade.tcp?', 'upgrade.websocket?').inspect]] if path == '/asks'

      kind = KINDS.fetch(path, Callbacks.new)
      env['upgrade.tcp'] = kind.is_a?(Proc) ? kind.call(env) : kind
      [Integer(env['QUERY_STRING'], exception: false) || 101, { 'x-own' => 'yes', 'upgrade' => 'echo' }, ['the body']]
    APP
  end

  # A connection after the takeover, with the response in @response unless none is expected.
  def take_over(path, more = '')
    dial.tap do |client|
      client.write(format(REQUEST, path) + more)
      @response = client.receive(head_only: true) unless path.match?(/\?(0|-1)\z/)
    end
  end

  it 'takes the connection over after the response' do
    client = take_over('new')
    expect([@response.status, @response['upgrade'], @response['connection'].downcase, @response['x-own']]).to eq([101, 'echo', 'upgrade', 'yes'])
    expect(@response.headers).not_to include('content-length', 'transfer-encoding')
    expect(client.take_through("\n")).to eq("hello raw /new 0\n")
    expect(client.write('é').read(13)).to eq("ASCII-8BIT \xC3\xA9".b)
    expect(client.write('bye').rest).to eq('')
    eventually { logged.include?('closed /new nil false') }
  end

  it 'is told in env for requests that ask for another protocol than a WebSocket' do
    expect(dial.ask(format(REQUEST, 'asks')).body).to eq({ 'rack.upgrade?' => nil, 'upgrade.tcp?' => true }.inspect)
    expect(dial.get('/asks').body).to eq({ 'rack.upgrade?' => nil }.inspect)
    expect(dial.ask(Support::WebSocket.handshake('/asks')).body).not_to include('upgrade.tcp?')
  end

  it 'needs no request that asks for it' do
    client = dial.write("GET /plain HTTP/1.1\r\nhost: x\r\n\r\n")
    expect(client.receive(head_only: true).status).to eq(101)
    expect(client.take_through("\n")).to eq("hello raw /plain 0\n")
  end

  [0, -1].each do |status|
    it "sends no response with status #{status}" do
      expect(take_over("quiet?#{status}").take_through("\n")).to eq("hello raw /quiet 0\n")
    end
  end

  [101, 200, 299].each do |status|
    it "sends the response of status #{status}" do
      client = take_over("told?#{status}")
      expect(@response.status).to eq(status)
      expect(client.take_through("\n")).to eq("hello raw /told 0\n")
    end
  end

  [302, 404, 500].each do |status|
    it "is declined with status #{status}, as HTTP" do
      response = dial.ask(format(REQUEST, "?#{status}"))
      expect([response.status, response.body]).to eq([status, 'the body'])
    end
  end

  it 'has bytes that came early, whole or cut anywhere' do
    client = take_over('early', 'too early')
    expect(client.take_through("\n")).to eq("hello raw /early 0\n")
    expect(client.read(20)).to eq('ASCII-8BIT too early')
    client = take_over('early?0', 'x' * 100_000)
    client.take_through("\n")
    got = +''
    got << client.read_some.gsub('ASCII-8BIT ', '') until got.count('x') == 100_000
    expect(got).to eq('x' * 100_000)
    client = dial
    "#{format(REQUEST, 'slow')}early".each_char { |byte| client.write(byte) }
    expect(client.receive(head_only: true).status).to eq(101)
    expect(client.take_through("\n")).to eq("hello raw /slow 0\n")
    got = +''
    got << client.read_some.gsub('ASCII-8BIT ', '') until got.size == 5
    expect(got).to eq('early')
  end

  it 'goes by the rules of 0.2 when on_message takes the data alone' do
    client = take_over('old')
    expect(client.take_through("\n")).to match(%r{\Aold /old \d+\n\z})
    expect(client.write('hi').read(6)).to eq('old hi')
    expect(client.write('bye').rest).to eq('')
    eventually { logged.grep(%r{\Aclosed /old \d}).any? }
    expect(take_over('instance').take_through("\n")).to match(%r{\Aold /instance \d})
    expect(take_over('one').take_through("\n")).to match(/\Aold one \d/)
  end

  it 'goes by today\'s else: a class is the callbacks object itself' do
    expect(take_over('class').write('hi').read(8)).to eq('class hi')
    expect(take_over('any').write('hi').read(5)).to eq('any 2')
    expect(take_over('silent').take_through("\n")).to eq("silent\n")
  end

  it 'closes the body once, sends nothing of it, and leaves the log a line' do
    @server = boot_upgrades(ConnectionApp::ECHO, listen: 'log: true', setup: <<~SETUP, app: <<~RUBY)
      class Body
        def each = log('each')
        def close = log('close')
      end
    SETUP
      env['upgrade.tcp'] = Callbacks.new
      [101, {}, Body.new]
    RUBY
    client = take_over('logged', 'x')
    expect(client.read(1)).to eq('x')
    @server.wait_for(%r{"GET /logged HTTP/1.1" 101}, stream: :stderr)
    expect(logged).to eq(['close'])
  end

  it 'comes behind a body of the request, which the application has' do
    @server = boot_upgrades(<<~RUBY, app: <<~APP)
      def initialize(body) = (@body = body)
      def on_message(client, data) = client.write("\#{@body} \#{data}")
    RUBY
      env['upgrade.tcp'] = Callbacks.new(env['rack.input'].read)
      [101, {}, []]
    APP
    client = dial.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbodyraw")
    expect(client.receive(head_only: true).status).to eq(101)
    expect(client.read(8)).to eq('body raw')
  end
end
