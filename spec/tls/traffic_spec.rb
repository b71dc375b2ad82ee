# frozen_string_literal: true

require 'digest'
require_relative 'secure'

RSpec.describe 'HTTP over TLS' do
  include Secure

  before(:context) { @server = boot(Apps::WAYS, '-w', '1', '-t', '4', *site_options, lint: false) }

  big = 'b' * 3_000_000

  it('keeps the connection') { expect(secure.then { |client| Array.new(3) { client.get('/hello').body } }).to eq(%w[hello] * 3) }

  it 'answers pipelined requests in order, however they are cut' do
    request = %w[/hello /parts /none /each].map { |path| "GET #{path} HTTP/1.1\r\nhost: x\r\n\r\n" }.join
    [request.bytesize, 50, 7, 1].each do |size|
      client = secure
      request.scan(/.{1,#{size}}/m) { |part| client.write(part) }
      expect(Array.new(4) { client.receive.body }).to eq(['hello', 'onetwothree', '', Array.new(5) { |n| "part #{n}\n" }.join])
    end
  end

  it 'sends heads without bodies' do
    client = secure
    response = client.request('HEAD', '/big')
    expect([response.status, response['content-length']]).to eq([200, '3000000'])
    expect(client.get('/same').status).to eq(304)
    expect(client.get('/hello').body).to eq('hello')
  end

  it 'sends large bodies' do
    client = secure
    expect(client.get('/big').body).to eq(big)
    expect(client.get('/file').body).to eq('f' * 200_000)
    expect(curl_site('/big')).to eq(big)
  end

  it 'waits for a slow reader, and serves others meanwhile' do
    slow = secure
    slow.write("GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
    expect(secure.get('/hello').body).to eq('hello')
    parts = []
    parts << slow.read_some(20_000, within: 5) until parts.sum(&:bytesize) > big.bytesize
    expect(parts.join).to end_with("\r\n\r\n#{big}")
  end

  it 'takes uploads of any size' do
    [1, 16_384, 100_000, 3_000_000].each do |size|
      body = Random.new(size).bytes(size)
      expect(secure.request('POST', '/input', body: body).body).to eq(body.sum(32).to_s)
    end
    file = write_file(work_dir, 'upload', big)
    expect(curl_site('/input', '-T', file, '-X', 'POST')).to eq(big.sum(32).to_s)
  end

  it 'takes chunked uploads' do
    expect(curl_site('/input', '-H', 'Transfer-Encoding: chunked', '-d', 'x' * 40_000)).to eq(('x' * 40_000).sum(32).to_s)
  end

  it 'ends what the client broke off' do
    client = secure
    client.write("POST /input HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
    client.socket.cut
    client = secure
    client.write("GET /big HTTP/1.1\r\nhost: x\r\n\r\n")
    client.read_some(1000)
    client.socket.cut
    expect(secure.get('/hello').body).to eq('hello')
  end

  it 'serves many clients at once' do
    clients = Array.new(50) { secure }
    clients.each { |client| client.write("GET /file HTTP/1.1\r\nhost: x\r\n\r\n") }
    expect(clients.map { |client| client.receive.body.bytesize }).to all(eq(200_000))
  end

  it 'finishes what is under way at a stop' do
    server = boot("run ->(env) { warn 'begun'; sleep 0.3; [200, {}, ['x' * 1_000_000]] }\n", '-w', '1', '-t', '1',
                  *site_options, lint: false)
    client = secure(port: server.port)
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    server.wait_for('begun')
    server.kill
    expect(client.receive.body.bytesize).to eq(1_000_000)
    expect(server.wait).to be_success
  end
end

RSpec.describe 'rack.hijack over TLS' do
  include Secure

  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '2', *site_options, lint: false)
      echo = ->(io) { while (line = io.gets) do io.write("echo #{line}") end; io.close }
      run(lambda do |env|
        text = { 'content-type' => 'text/plain' }
        case env['PATH_INFO']
        when '/full'
          io = env['rack.hijack'].call
          io.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          Thread.new { echo.call(io) }
          [-1, {}, []]
        when '/big'
          io = env['rack.hijack'].call
          Thread.new { io.write("HTTP/1.1 200 OK\r\n\r\n" + 'b' * 3_000_000); io.close }
          [-1, {}, []]
        when '/leave'
          env['rack.hijack'].call.close
          [-1, {}, []]
        when '/partial'
          [200, text.merge('rack.hijack' => ->(stream) { 3.times { |n| stream.write("part #{n} ") }; stream.close }), []]
        when '/upgrade'
          headers = { 'upgrade' => 'echo', 'connection' => 'Upgrade' }
          [101, headers.merge('rack.hijack' => ->(stream) { stream.write(stream.readpartial(100).upcase); stream.close }), []]
        else [200, text, ['plain']]
        end
      end)
    RUBY
  end

  it 'gives the application a socket that speaks in clear' do
    client = secure
    expect(client.get('/full').body).to eq('ok')
    client.write("one\ntwo\n")
    expect(client.read(18)).to eq("echo one\necho two\n")
    client.write("#{'x' * 100_000}\n")
    expect(client.read(100_006)).to eq("echo #{'x' * 100_000}\n")
    expect(secure.get.body).to eq('plain')
  end

  it 'gives what the client sent early' do
    client = secure
    client.write("GET /full HTTP/1.1\r\nHost: x\r\n\r\nearly\nbird\n")
    expect(client.receive.body).to eq('ok')
    expect(client.read(21)).to eq("echo early\necho bird\n")
  end

  it 'tells the application that the client has gone' do
    client = secure
    client.get('/full')
    client.close
    expect(secure.get.body).to eq('plain')
  end

  it 'sends all before it closes' do
    expect(secure.get('/big').body.bytesize).to eq(3_000_000)
    expect(curl_site('/big').bytesize).to eq(3_000_000)
    expect(secure.write("GET /leave HTTP/1.1\r\nHost: x\r\n\r\n").rest).to eq('')
  end

  it 'works partly, and after an upgrade' do
    expect(secure.get('/partial').body).to eq('part 0 part 1 part 2 ')
    client = secure
    client.write("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
    expect(client.receive.status).to eq(101)
    client.write('words')
    expect(client.rest).to eq('WORDS')
  end

  it 'leaves no descriptor behind' do
    3.times { secure.tap { |client| client.get('/full') }.close }
    eventually { secure.get && @server.descriptors }
    before = @server.descriptors
    20.times { secure.tap { |client| client.get('/full') }.close }
    eventually { @server.descriptors <= before + 2 }
  end
end
