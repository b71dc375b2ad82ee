# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'a body that responds to call' do
  extend RackApp

  rack_app <<~'RUBY', lint: false
    closed = Queue.new
    go = Queue.new
    keeper = []
    told = Queue.new
    error = ->(type = StandardError, &block) { begin; block.call; 'none'; rescue type => e; "#{e.class}: #{e.message}"; end }
    bodies = {
      '/write' => ->(stream) { stream.write('a', :b, 3); stream << 'c' << 'd'; stream.flush; stream.close },
      '/count' => ->(stream) { stream.write("#{stream.write('ab', 'c')}"); stream.close },
      '/empty' => ->(stream) { stream.write(''); stream.close },
      '/nothing' => ->(stream) { stream.close },
      '/read' => ->(stream) { stream.write(stream.read(2), '|', stream.read, '|', stream.read(1).inspect); stream.close },
      '/states' => ->(stream) do
        before = stream.closed?
        stream.close_read
        read = error.call(IOError) { stream.read }
        half = stream.closed?
        stream.write("#{before} #{half} #{read}")
        stream.close_write
        told << [stream.closed?, error.call(IOError) { stream.write('x') }, stream.close, stream.closed?].inspect
      end,
      '/thread' => ->(stream) { Thread.new { sleep 0.05; stream.write('from a thread'); stream.close } },
      '/slow' => ->(stream) { stream.write('first'); stream.flush; go.pop; stream.write('second'); stream.close },
      '/head' => ->(stream) { Thread.new { go.pop; stream.close } },
      '/raise' => ->(stream) { raise 'before a byte' },
      '/raise-late' => ->(stream) { stream.write('some'); raise 'too late' },
      '/forgotten' => ->(stream) { stream.write('some') },
      '/gone' => ->(stream) do
        begin
          loop { stream.write('x' * 65_536) }
        rescue SystemCallError => e
          told << "#{e.class}: #{e.message}"
          raise
        end
      end
    }
    wrapper = Class.new do
      define_method(:initialize) { |path, body| @path, @body = path, body }
      define_method(:call) { |stream| @body.call(stream) }
      define_method(:close) { closed << @path }
    end
    lambda do |env|
      path = env['PATH_INFO']
      text = { 'content-type' => 'text/plain' }
      text['content-length'] = env['HTTP_X_LENGTH'] if env['HTTP_X_LENGTH']
      case path
      when '/go' then go << 1; [200, {}, []]
      when '/gc' then GC.start; [200, {}, []]
      when '/told' then [200, {}, [told.pop(true).to_s]]
      when '/closed' then [200, {}, [Array.new(closed.size) { closed.pop }.join(' ')]]
      else [200, text, wrapper.new(path, bodies.fetch(path))]
      end
    end
  RUBY

  before { get('/closed') }

  it 'writes to a stream' do
    answer = get('/write')
    expect(answer.chunks).to eq(%w[a b 3 c d])
    expect(get('/count').body).to eq('abc3')
    expect(get('/empty').body).to eq('')
    expect(get('/nothing')['content-length']).to eq('0')
    # Each is closed behind its response, on either thread.
    expect(get('/closed').body.split).to contain_exactly('/write', '/count', '/empty', '/nothing')
  end

  it 'keeps the length that the application gives' do
    client = dial
    answer = client.get('/write', 'x-length' => '5')
    expect([answer['content-length'], answer.body]).to eq(%w[5 ab3cd])
    expect(client.get('/write').body).to eq('ab3cd')
    expect { get('/write', 'x-length' => '9') }.to raise_error(Support::RawClient::Closed)
    expect(dial.request('HEAD', '/write', { 'x-length' => '5' })['content-length']).to eq('5')
  end

  it 'reads the body of the request' do
    expect(dial.request('POST', '/read', body: 'hello').body).to eq('he|llo|nil')
    expect(get('/read').body).to eq('||nil')
  end

  it 'closes its halves' do
    expect(get('/states').body).to eq('false false IOError: not opened for reading')
    expect(eventually { get('/told').body.then { |body| body unless body.empty? } })
      .to eq('[true, "IOError: not opened for writing", nil, true]')
  end

  it 'is flushed as it writes' do
    client = dial
    client.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    got = +''
    eventually { (got << client.read_some).include?("5\r\nfirst\r\n") }
    get('/go')
    eventually { (got << client.read_some).end_with?("6\r\nsecond\r\n0\r\n\r\n") }
  end

  it 'may outlive the call' do
    client = dial
    2.times { expect(client.get('/thread').body).to eq('from a thread') }
    client.write("GET /head HTTP/1.1\r\nHost: x\r\n\r\n")
    head = +''
    eventually { (head << client.read_some).end_with?("\r\n\r\n") }
    get('/go')
    eventually { (head << client.read_some).end_with?("0\r\n\r\n") }
  end

  it 'is broken off when it raises' do
    expect(get('/raise').status).to eq(500)
    expect(dial.write("GET /raise-late HTTP/1.1\r\nHost: x\r\n\r\n").rest).to end_with("\r\n\r\n4\r\nsome\r\n")
    expect(log_with(/too late/)).to include('ERROR: GET /raise-late: too late (RuntimeError)')
    expect(get('/closed').body).to eq('/raise /raise-late')
  end

  it 'is broken off when the application forgets to close it' do
    client = dial
    client.write("GET /forgotten HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually do
      get('/gc')
      client.closed_by_peer?(0.1) || (client.read_some && nil)
    end
  end

  it 'tells the application when the client is gone' do
    client = dial
    client.write("GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
    client.read(1_000_000)
    client.reset
    eventually { get('/told').body.start_with?('Errno::EPIPE') }
    expect(eventually { get('/closed').body.then { |body| body unless body.empty? } }).to eq('/gone')
    expect(log).not_to include('GET /gone')
  end
end
