# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Asking for an event stream' do
  context 'with one server' do
    before(:context) do
      @server = boot_upgrades('def on_open(client) = client.write("hello")', app: <<~'RUBY')
        case env['PATH_INFO']
        when '/asks' then next [200, { 'content-type' => 'text/plain' }, [env['rack.upgrade?'].inspect]]
        when '/headers' then headers = { 'set-cookie' => %w[a=1 b=2], 'x-own' => 'yes', 'content-type' => 'text/plain' }
        end
        env['rack.upgrade'] = Callbacks.new
        status = Integer(env['QUERY_STRING'], exception: false) || 200
        headers ||= [100, 101, 204].include?(status) ? {} : { 'content-type' => 'text/plain' }
        [status, headers, ['the body']]
      RUBY
    end

    it 'is answered with its headers, and no body but events' do
      events = stream
      response = events.response
      expect(response.status).to eq(200)
      expect(response.lines.map { |name, _| name.downcase }.tally.values.uniq).to eq([1])
      expect(response.headers.slice('content-type', 'cache-control', 'x-accel-buffering'))
        .to eq('content-type' => 'text/event-stream', 'cache-control' => 'no-cache', 'x-accel-buffering' => 'no')
      expect(response.headers).not_to include('content-length', 'transfer-encoding')
      expect(events.data).to eq('hello')
      expect(events.text).to eq("data: hello\n\n")
    end

    it 'carries the application\'s headers, but those that are its own' do
      response = stream('/headers').response
      expect([response.all('set-cookie'), response['x-own'], response['content-type']]).to eq([%w[a=1 b=2], 'yes', 'text/event-stream'])
    end

    ['text/event-stream', 'TEXT/Event-Stream', 'text/html, text/event-stream', 'text/event-stream;q=0.5', '*/*, text/event-stream ; q=1',
     'text/event-stream;charset=utf-8', ',text/event-stream,'].each do |accept|
      it "is an Accept of #{accept}" do
        expect(dial.get('/asks', 'accept' => accept).body).to eq(':sse')
      end
    end

    ['*/*', 'text/*', 'text/html', 'text/event-stream;q=0', 'text/event-stream;q=0.000', 'text/event-streams', 'x-text/event-stream', '',
     'application/text/event-stream'].each do |accept|
      it "is not an Accept of #{accept.inspect}" do
        expect(dial.get('/asks', 'accept' => accept).body).to eq('nil')
      end
    end

    it 'may be one of several Accept lines' do
      client = dial.write("GET /asks HTTP/1.1\r\nhost: x\r\naccept: text/html\r\naccept: text/event-stream\r\n\r\n")
      expect(client.receive.body).to eq(':sse')
    end

    it 'takes a GET by HTTP/1.1' do
      expect(dial.request('POST', '/asks', { 'accept' => 'text/event-stream' }, body: '').body).to eq('nil')
      expect(dial.request('HEAD', '/', { 'accept' => 'text/event-stream' }).status).to eq(200)
      expect(dial.ask("GET /asks HTTP/1.0\r\naccept: text/event-stream\r\n\r\n").body).to eq('nil')
    end

    [100, 101, 200, 204, 299].each do |status|
      it "is accepted with status #{status}" do
        events = stream("/?#{status}")
        expect([events.response.status, events.response['content-type'], events.data]).to eq([200, 'text/event-stream', 'hello'])
      end
    end

    [302, 403, 500].each do |status|
      it "is declined with status #{status}, as HTTP" do
        response = dial.get("/?#{status}", 'accept' => 'text/event-stream')
        expect([response.status, response.body, response['content-type']]).to eq([status, 'the body', 'text/plain'])
      end
    end

    it 'has no env key of a WebSocket\'s' do
      response = dial.get('/asks', 'accept' => 'text/event-stream', 'connection' => 'upgrade', 'upgrade' => 'other')
      expect(response.body).to eq(':sse')
    end

    it 'works with curl' do
      out = IO.popen(['curl', '-sN', '--max-time', '20', '-H', 'accept: text/event-stream', "http://127.0.0.1:#{@server.port}/"]) do |io|
        io.readline.tap { Process.kill(:TERM, io.pid) }
      end
      expect(out).to eq("data: hello\n")
    end
  end

  it 'knows where a client that comes again has left off' do
    @server = boot_upgrades('def on_open(client) = client.write(client.last_event_id.inspect)')
    expect(stream.data).to eq('nil')
    expect(stream('/', { 'last-event-id' => '17' }).data).to eq('"17"')
  end
end
