# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'a mistake of the application' do
  extend RackApp

  rack_app <<~'RUBY', lint: false, threads: 2
    text = { 'content-type' => 'text/plain' }
    closed = Queue.new
    closing = Class.new do
      define_method(:initialize) { |&block| @block = block }
      define_method(:each) { |&out| @block.call(out) }
      define_method(:close) { closed << 'closed' }
    end
    Iodine.on_error do |error, env|
      case error.message
      when 'custom' then [418, text, ["custom for #{env['PATH_INFO']}"]]
      when 'custom broken' then [200, text, nil]
      when 'custom raises' then raise 'in on_error'
      end
    end
    oddities = {
      '/nil' => nil, '/string' => 'just a String', '/integer' => 200, '/short' => [200, {}], '/long' => [200, {}, [], 1],
      '/status-nil' => [nil, {}, []], '/status-0' => [0, {}, []], '/status-99' => ['99', {}, []], '/status-1000' => [1000, {}, []],
      '/status-object' => [Object.new, {}, []], '/headers-nil' => [200, nil, []], '/headers-string' => [200, 'x: 1', []],
      '/body-nil' => [200, text, nil], '/body-integer' => [200, text, 5], '/body-mixed' => [200, text, ['a', 5]],
      '/body-symbols' => [200, text, [:a]], '/each-mixed' => [200, text, closing.new { |out| out.call(5) }]
    }
    lambda do |env|
      path = env['PATH_INFO']
      return oddities[path] if oddities.key?(path)

      case path
      when '/raise' then raise ArgumentError, "first line\nsecond line"
      when '/raise-exception' then raise Exception, 'not a StandardError'
      when '/script' then raise NotImplementedError
      when '/memory' then raise NoMemoryError, 'none left'
      when '/stack' then (deep = ->(n) { deep.call(n + 1) + 1 }).call(0)
      when '/throw' then throw :nobody
      when '/exit' then exit(3)
      when '/abort' then abort 'on purpose'
      when '/interrupt' then raise Interrupt
      when '/kill' then Thread.current.kill; sleep
      when '/thread-raise' then thread = Thread.current; Thread.new { sleep 0.02; thread.raise('from outside') }; sleep
      when '/each-raise' then [200, text, closing.new { |out| raise 'before the first part' }]
      when '/each-late' then [200, text, closing.new { |out| out.call('some'); raise 'too late' }]
      when '/each-kill' then [200, text, closing.new { |out| out.call('some'); Thread.current.kill }]
      when '/each-throw' then [200, text, closing.new { |out| out.call('some'); throw :nobody }]
      when '/each-exit' then [200, text, closing.new { |out| exit }]
      when '/close-raise' then [200, text, Class.new { def each = yield('fine'); def close = raise('in close') }.new]
      when '/close-kill' then [200, text, Class.new { def each = yield('fine'); def close = Thread.current.kill }.new]
      when '/custom' then raise 'custom'
      when '/custom-broken' then raise 'custom broken'
      when '/custom-raises' then raise 'custom raises'
      when '/custom-each' then [200, text, closing.new { raise 'custom' }]
      when '/message' then raise Class.new(StandardError) { def message = raise('no message') }
      when '/closed' then [200, text, [Array.new(closed.size) { closed.pop }.size.to_s]]
      else [200, text, ['fine']]
      end
    end
  RUBY

  before { get('/closed') }

  %w[/nil /string /integer /short /long /status-nil /status-0 /status-99 /status-1000 /status-object /headers-nil
     /headers-string /body-nil /body-integer /body-mixed /body-symbols /each-mixed].each do |path|
    it "gets 500 and a line for what it returns: #{path[1..]}" do
      client = dial
      answer = client.get(path)
      expect([answer.status, answer['content-type'], answer.body]).to eq([500, 'text/plain', "Internal Server Error\n"])
      expect(log_with(/ERROR: GET #{path}: (?:the|headers) [^\n]*must/).lines.grep(/ERROR/).size).to eq(1)
      expect(client.get('/').body).to eq('fine')
    end
  end

  { '/raise' => %r{ERROR: GET /raise: first line \(ArgumentError\)\n\t.*script\.rb:\d+:in},
    '/raise-exception' => /not a StandardError/,
    '/script' => /NotImplementedError/, '/memory' => /none left/, '/stack' => /SystemStackError/,
    '/throw' => /uncaught throw :nobody/,
    '/exit' => /SystemExit/, '/abort' => /SystemExit/, '/interrupt' => /Interrupt/, '/thread-raise' => /from outside/,
    '/each-raise' => /before the first part/, '/each-exit' => /SystemExit/, '/message' => %r{GET /message: },
    '/custom-broken' => /custom broken.*the body must/m, '/custom-raises' => /in on_error/ }.each do |path, line|
    it "gets 500 and a line for what it raises: #{path[1..]}" do
      client = dial
      expect(client.get(path).status).to eq(500)
      log_with(line)
      expect(client.get('/').body).to eq('fine')
    end
  end

  it 'has no body for HEAD' do
    client = dial
    answer = client.request('HEAD', '/raise')
    expect([answer.status, answer['content-length']]).to eq([500, '22'])
    expect(client.get('/').body).to eq('fine')
  end

  it 'closes the connection where a response has begun' do
    %w[/each-late /each-kill /each-throw].each do |path|
      expect(dial.write("GET #{path} HTTP/1.1\r\nHost: x\r\n\r\n").rest).to end_with("\r\n\r\n4\r\nsome\r\n")
    end
    log_with(%r{ERROR: GET /each-late: too late})
    expect(get('/').body).to eq('fine')
  end

  it 'closes the body once' do
    %w[/each-raise /each-mixed /each-exit /custom-each].each { |path| get(path) }
    %w[/each-late /each-kill].each { |path| expect { get(path) }.to raise_error(Support::RawClient::Closed) }
    sleep 0.05
    expect(get('/closed').body).to eq('6')
  end

  it 'may be in close: the response is out' do
    client = dial
    expect(client.get('/close-raise').body).to eq('fine')
    log_with(%r{ERROR: GET /close-raise: in close})
    expect(client.get('/close-kill').body).to eq('fine')
    expect(client.get('/').body).to eq('fine')
  end

  it 'may be answered by on_error' do
    answer = get('/custom')
    expect([answer.status, answer.body]).to eq([418, 'custom for /custom'])
    expect(get('/custom-each').status).to eq(418)
    expect(log).to include('ERROR: GET /custom: custom (RuntimeError)')
  end

  it 'ends a thread that is killed, and the next one serves' do
    4.times do
      expect(get('/kill').status).to eq(500)
      expect(get('/').body).to eq('fine')
    end
  end

  it 'resets a connection whose close would look like the end of the body' do
    socket = TCPSocket.new('127.0.0.1', server.port)
    socket.write("GET /each-late HTTP/1.0\r\n\r\n")
    expect { loop { socket.readpartial(100) } }.to raise_error(Errno::ECONNRESET)
  ensure
    socket&.close
  end
end
