# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'rack.hijack' do
  extend RackApp

  rack_app <<~'RUBY', threads: 2
    told = Queue.new
    text = { 'content-type' => 'text/plain' }
    echo = ->(io) { while (line = io.gets) do io.write("echo #{line}") end; io.close }
    kept = files = nil
    lambda do |env|
      hijack = env['rack.hijack']
      case env['PATH_INFO']
      when '/full'
        io = hijack.call
        io.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n#{io.class.name[0, 7]}")
        Thread.new { echo.call(io) }
        [200, text, ['ignored']]
      when '/twice'
        io = hijack.call
        io.write((io.equal?(hijack.call) && (!env.key?('rack.hijack_io') || io.respond_to?(:read))).to_s)
        io.close
        [-1, {}, []].then { |_| [200, text, []] }
      when '/raise'
        io = hijack.call
        io.write('raw')
        io.close
        raise 'after the hijack'
      when '/input'
        io = hijack.call
        body = env['rack.input'].read
        Thread.new { sleep 0.05; io.write(body); io.close }
        [200, text, []]
      when '/partial'
        [200, text.merge('x-one' => '1', 'rack.hijack' => ->(stream) { stream.write('partial'); stream.close }), []]
      when '/partial-length'
        [200, text.merge('content-length' => '7', 'rack.hijack' => ->(stream) { stream.write('partial'); stream.close }), []]
      when '/partial-raise'
        [200, text.merge('rack.hijack' => ->(stream) { stream.write('some'); raise 'in the hijack' }), []]
      when '/partial-thread'
        [200, text.merge('rack.hijack' => ->(stream) { Thread.new { echo.call(stream.instance_eval { @stream || @io } || stream) } }), []]
      when '/upgrade'
        [101, { 'upgrade' => 'echo', 'connection' => 'Upgrade', 'rack.hijack' => ->(stream) { stream.write('raw'); stream.close } }, []]
      when '/broken'
        TCPSocket.class_eval { def ungetbyte(*) = raise('no push-back') }
        begin hijack.call; rescue RuntimeError; nil end
        TCPSocket.remove_method(:ungetbyte)
        files = Array.new(20) { File.open(__FILE__) }
        [-1, {}, []].then { |_| [200, text, []] }
      when '/files'
        GC.start
        [200, text, [files.sum { |file| file.read.size.positive? ? 1 : 0 }.to_s]]
      when '/keep' then kept = env; [200, text, ['kept']]
      when '/late'
        [200, text, [begin; kept['rack.hijack'].call.to_s; rescue IOError => e; e.message; end]]
      when '/spin' then sleep 0.3; [200, text, ['done']]
      else [200, text, ['plain']]
      end
    end
  RUBY

  it 'gives the socket away' do
    client = dial
    expect(client.get('/full').body).to eq('TCPSock')
    client.write("one\ntwo\n")
    expect(client.read(18)).to eq("echo one\necho two\n")
    client.shut
    expect(client.rest).to eq('')
    expect(get('/').body).to eq('plain')
  end

  it 'gives what the client sent early' do
    client = dial
    client.write("GET /full HTTP/1.1\r\nHost: x\r\n\r\nearly\nbird\n")
    expect(client.receive.body).to eq('TCPSock')
    expect(client.read(21)).to eq("echo early\necho bird\n")
  end

  it 'gives the same socket again' do
    expect(dial.write("GET /twice HTTP/1.1\r\nHost: x\r\n\r\n").rest).to eq('true')
  end

  it 'leaves one owner of the descriptor, where the socket can not be made ready' do
    expect(dial.write("GET /broken HTTP/1.1\r\nHost: x\r\n\r\nearly").rest).to eq('')
    expect(get('/files').body).to eq('20')
  end

  it 'is not answered when the application raises after it' do
    expect(dial.write("GET /raise HTTP/1.1\r\nHost: x\r\n\r\n").rest).to eq('raw')
    log_with(%r{ERROR: GET /raise: after the hijack})
  end

  it 'leaves the body of the request readable' do
    expect(dial.write("POST /input HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody").rest).to eq('body')
  end

  it 'writes answers to earlier requests first' do
    client = dial
    3.times { client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
    client.write("GET /full HTTP/1.1\r\nHost: x\r\n\r\nlast\n")
    expect(Array.new(4) { client.receive.body }).to eq(%w[plain plain plain TCPSock])
    expect(client.read(10)).to eq("echo last\n")
  end

  it 'may be partial: after the head' do
    answer = dial.write("GET /partial HTTP/1.1\r\nHost: x\r\n\r\n").rest
    expect(answer).to match(%r{\AHTTP/1.1 200 OK\r\n.*x-one: 1\r\n.*connection: close\r\n\r\npartial\z}m)
    expect(answer).not_to match(/chunked|content-length|rack/)
    expect(get('/partial-length').body).to eq('partial')
  end

  it 'may be kept by a thread' do
    client = dial
    client.write("GET /partial-thread HTTP/1.1\r\nHost: x\r\n\r\n")
    got = +''
    eventually { (got << client.read_some).end_with?("\r\n\r\n") }
    client.write("line\n")
    expect(client.read(10)).to eq("echo line\n")
  end

  it 'closes the socket when the proc raises' do
    expect(dial.write("GET /partial-raise HTTP/1.1\r\nHost: x\r\n\r\n").rest).to end_with('some')
    log_with(%r{ERROR: GET /partial-raise: in the hijack})
  end

  it 'switches protocols' do
    answer = dial.write("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").rest
    expect(answer).to start_with("HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\ndate: ")
    expect(answer).to end_with("\r\nconnection: upgrade\r\n\r\nraw")
  end

  it 'is refused when the request is over' do
    get('/keep')
    expect(get('/late').body).to eq('the request is over: keep nothing of its env')
  end

  it 'leaves no descriptor open' do
    count = -> { Dir.children("/proc/#{server.pid}/fd").size }
    dial.write("GET /partial HTTP/1.1\r\nHost: x\r\n\r\n").rest
    before = count.call
    10.times { dial { |client| client.write("GET /partial HTTP/1.1\r\nHost: x\r\n\r\n").rest } }
    eventually { count.call <= before + 1 }
  end
end

RSpec.describe 'a body that responds to call, with 101' do
  extend RackApp

  rack_app <<~'RUBY', lint: false
    lambda do |env|
      offered = env['rack.protocol']
      headers = env['PATH_INFO'] == '/rack' ? { 'rack.protocol' => offered.first } : { 'upgrade' => offered.first }
      [101, headers, ->(io) { io.write("#{io.class} "); io.write(io.read(3)); io.close }]
    end
  RUBY

  %w[/ /rack].each do |path|
    it "gets the socket (#{path})" do
      client = dial
      client.write("GET #{path} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: one, two\r\n\r\n")
      client.write('abc')
      expect(client.rest).to match(/ 101 .*\r\nupgrade: one\r\n.*connection: upgrade\r\n\r\nTCPSocket abc\z/m)
    end
  end
end

RSpec.describe 'rack.early_hints' do
  extend RackApp

  rack_app <<~'RUBY'
    lambda do |env|
      hints = env['rack.early_hints']
      case env['PATH_INFO']
      when '/two'
        hints.call('link' => '</a.css>; rel=preload')
        hints.call(Rack.release < '3' ? { 'link' => "</b.js>\n</c.js>" } : { 'link' => ['</b.js>', '</c.js>'] })
      when '/bad'
        begin
          hints.call(Rack.release < '3' ? { 'li nk' => 'x' } : Hash['li nk', 'x'])
        rescue ArgumentError => e
          return_value = e.message
        end
      when '/late'
        body = Enumerator.new { |out| out << 'a'; begin; hints.call('link' => 'x'); rescue IOError => e; out << e.message; end }
      end
      [200, { 'content-type' => 'text/plain' }, body || [return_value || 'body']]
    end
  RUBY

  it 'are sent before the response' do
    client = dial
    client.write("GET /two HTTP/1.1\r\nHost: x\r\n\r\n")
    one, two, final = Array.new(3) { client.receive }
    expect([one.status, one.reason, one.lines]).to eq([103, 'Early Hints', [['link', '</a.css>; rel=preload']]])
    expect([two.status, two.all('link')]).to eq([103, ['</b.js>', '</c.js>']])
    expect([final.status, final.body]).to eq([200, 'body'])
    expect(final.head).not_to include('link')
  end

  it 'are not sent to HTTP/1.0' do
    expect(dial.ask("GET /two HTTP/1.0\r\n\r\n").status).to eq(200)
  end

  it 'are checked' do
    expect(get('/bad').body).to eq('"li nk" can\'t be the name of a header')
  end

  it 'come too late once the response has begun' do
    expect(get('/late').body).to eq('athe response has begun: early hints come before it')
  end
end

RSpec.describe 'a Unix socket' do
  extend RackApp

  rack_app <<~'RUBY', setup: "Iodine.listen(service: :http, address: './app.sock', handler: app)", threads: 1
    lambda do |env|
      if env['PATH_INFO'] == '/hijack'
        io = env['rack.hijack'].call
        io.write(io.class.name)
        io.close
      end
      [200, {}, %w[REMOTE_ADDR SERVER_NAME SERVER_PORT].map { |name| "#{env[name]} " }]
    end
  RUBY

  def unix
    Support::RawClient.unix(File.join(server.dir, 'app.sock'))
  end

  it 'has a peer that is this machine, and a name' do
    expect(unix.ask("GET / HTTP/1.1\r\nHost: app.example\r\n\r\n").body).to eq('127.0.0.1 app.example 80 ')
    expect(unix.ask("GET / HTTP/1.0\r\n\r\n").body).to eq('127.0.0.1 localhost 80 ')
  end

  it 'is hijacked as what it is' do
    expect(unix.write("GET /hijack HTTP/1.1\r\nHost: x\r\n\r\n").rest).to eq('UNIXSocket')
  end
end
