# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'An event stream' do
  # Runs the query of each request for /run as Ruby, in the last stream's class, and answers with what came of it.
  RUNS = <<~'RUBY'
    if env['PATH_INFO'] == '/run'
      client = CLIENTS.last
      answer = begin
        eval(Rack::Utils.unescape(env['QUERY_STRING'])).inspect
      rescue StandardError => e
        "#{e.class}: #{e.message}"
      end
      next [200, { 'content-type' => 'text/plain' }, [answer]]
    end
    env['rack.upgrade'] = Callbacks.new if env['rack.upgrade?']
    [200, { 'content-type' => 'text/plain' }, ['plain']]
  RUBY
  KEEPS = <<~'RUBY'
    def on_open(client)
      CLIENTS << client
      client.write('open')
    end
    def on_close(client) = log('closed', client.close_code.inspect, client.close_reason.inspect, client.open?)
  RUBY

  def boot_runs(callbacks = KEEPS, **options)
    boot_upgrades(callbacks, app: RUNS, setup: 'CLIENTS = []', **options)
  end

  def run(code)
    dial.get("/run?#{code.gsub(/[^\w]/) { |char| char.bytes.map { |byte| format('%%%02X', byte) }.join }}").body
  end

  def opened(path = '/', headers = {}, **options)
    stream(path, headers, **options).tap { |events| expect(events.data).to eq('open') }
  end

  context 'with one server' do
    before(:context) { @server = boot_runs }

    it 'has the lines of what is written, however they end' do
      events = opened
      { 'one' => 'one', "one\ntwo" => "one\ntwo", "one\r\ntwo\rthree" => "one\ntwo\nthree", "\n" => "\n", '' => '', 'é☃' => 'é☃',
        "end\n" => "end\n", ' space' => ' space', "data: x\n\nevent: y" => "data: x\n\nevent: y", 'id: 5' => 'id: 5' }.each do |text, got|
        expect(run("client.write(#{text.dump})")).to eq('true')
        event = events.read
        expect([event.data, event.type, event.id]).to eq([got, nil, nil])
      end
    end

    it 'has what is no String by its to_s' do
      events = opened
      run('client.write(:symbol); client.write(12); client.write(nil)')
      expect(Array.new(3) { events.data }).to eq(['symbol', '12', ''])
    end

    it 'has events with type, id, data and the time to come again' do
      events = opened
      expect(run('client.write_event(event: "tick", id: 7, data: "a\nb", retry: 1500)')).to eq('true')
      expect(events.read.to_a).to eq(['tick', "a\nb", '7', 1500, []])
      run('client.write_event(data: "only"); client.write_event(id: ""); client.write_event(retry: 0); client.write_event(event: :sym, data: 5)')
      expect(Array.new(4) { events.read.to_a }).to eq([[nil, 'only', nil, nil, []], [nil, nil, '', nil, []], [nil, nil, nil, 0, []],
                                                       ['sym', '5', nil, nil, []]])
    end

    {
      'client.write_event(event: "a\nb", data: "x")' => /\AArgumentError: event and id must be one line each/,
      'client.write_event(id: "a\rb", data: "x")' => /\AArgumentError: event and id must be one line each/,
      'client.write_event(id: "a\0b", data: "x")' => /\AArgumentError: .*NUL/,
      'client.write_event(data: "x", retry: -1)' => /\AArgumentError: retry must be 0 or more/,
      'client.write_event(data: "x", retry: "soon")' => /\ATypeError: /,
      'client.write_event(comment: "x")' => /\AArgumentError: unknown keyword/
    }.each do |code, error|
      it "refuses #{code}" do
        events = opened
        expect(run(code)).to match(error)
        run('client.write("after")')
        expect(events.data).to eq('after')
      end
    end

    it 'tells what it is' do
      opened('/path')
      expect(run('[client.protocol, client.pubsub?, client.open?, client.pending, client.timeout, client.env["PATH_INFO"]]'))
        .to eq('[:sse, true, true, 0, 40, "/path"]')
    end

    it 'is subscribed as a WebSocket is' do
      events = opened
      run('client.subscribe(:news); client.subscribe("b*", match: :redis) { |c, m| client.write_event(event: c, data: m) }')
      run('Iodine.publish(:news, "one\ntwo"); client.publish("bell", "ding"); Iodine.publish("other", "no")')
      expect(events.read.to_a).to eq([nil, "one\ntwo", nil, nil, []])
      expect(events.read.to_a).to eq(['bell', 'ding', nil, nil, []])
      expect(run('client.unsubscribe(:news)')).to eq('true')
    end

    it 'ends by close, behind what is pending, with a code that only the application sees' do
      events = opened
      before = logged.size
      expect(run('client.write("x" * 1_000_000); [client.close(1001, "done"), client.open?, client.write("y"), client.pending]'))
        .to eq('[nil, false, nil, -1]')
      expect(events.raw.read(1_000_008).bytesize).to eq(1_000_008)
      expect(events.over?).to be(true)
      events.raw.close
      eventually { logged.size > before }
      expect(logged.last).to eq('closed 1001 nil false')
    end

    it 'ends when the client goes, by FIN or RST' do
      %i[close reset].each do |way|
        events = opened
        before = logged.size
        events.raw.public_send(way)
        eventually { logged.size > before }
        expect(logged.last).to match(/\Aclosed (1000|1006) nil false\z/)
      end
    end

    it 'pays no attention to what the client sends' do
      events = opened
      events.raw.write('x' * 1_000_000)
      run('client.write("still")')
      expect(events.data).to eq('still')
    end
  end

  it 'is pinged with comments in silence, by ping: and by timeout=' do
    @server = boot_runs(listen: 'ping: 1')
    events = opened
    expect(Array.new(2) { events.read.comments }).to eq([['ping']] * 2)
    expect(run('client.timeout = 0')).to eq('0')
    expect(events.raw.read_some(within: 1.5)).to eq('')
    expect(run('client.timeout = 256')).to start_with('RangeError')
  end

  it 'is closed when the client doesn\'t read' do
    @server = boot_runs(listen: 'ping: 1')
    opened
    run('client.write("x" * 12_000_000)')
    eventually { logged.grep(/closed/).any? }
  end

  it 'is closed with 1008 and a line when too much piles up' do
    @server = boot_runs(listen: 'max_pending: 1')
    opened
    expect(run('nil while client.write("x" * 100_000)')).to eq('nil')
    @server.wait_for(/WARNING: closed a connection of 127\.0\.0\.1 that let \d+ bytes pile up unread/)
    eventually { logged == ['closed 1008 nil false'] }
  end

  it 'hears of a graceful stop, and what is written then arrives' do
    @server = boot_runs(<<~RUBY)
      #{KEEPS}
      def on_shutdown(client) = client.write_event(event: 'bye', data: 'x' * 300_000)
    RUBY
    events = opened
    @server.kill(:TERM)
    expect(events.read.to_a).to eq(['bye', 'x' * 300_000, nil, nil, []])
    expect(events.over?).to be(true)
    events.raw.close
    expect(@server.wait.success?).to be(true)
    expect(logged).to eq(['closed 1001 nil false'])
  end

  it 'has the callbacks of other connections, one at a time' do
    @server = boot_runs(<<~RUBY, threads: 8)
      def on_open(client)
        CLIENTS << client
        client.write('open')
        client.defer { client.write('deferred') }
      end
      def on_drained(client) = log('drained', client.pending)
      def on_close(client) = log('closed')
    RUBY
    events = opened
    expect(events.data).to eq('deferred')
    run('client.write("x" * 10_000_000)')
    expect(events.raw.read(10_000_008).bytesize).to eq(10_000_008)
    eventually { logged.include?('drained 0') }
    expect(run('client.handler = Class.new { def on_open(client) = client.write("another") }.new; 1')).to eq('1')
    expect(events.raw.read(15)).to eq("data: another\n\n")
    eventually { logged.include?('closed') }
  end
end
