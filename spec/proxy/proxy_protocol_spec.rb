# frozen_string_literal: true

require_relative 'proxy_app'

# The PROXY protocol, versions 1 and 2, as raw bytes.
RSpec.describe 'The PROXY protocol' do
  include ProxyApp

  signature = "\r\n\r\n\0\r\nQUIT\n".b
  ipv4 = [192, 0, 2, 1, 192, 0, 2, 2, 5000, 80].pack('C8n2')
  ipv6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1, 0x2001, 0xdb8, 0, 0, 0, 0, 0, 2, 5000, 80].pack('n18')
  line = "PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n"
  two = signature + [0x21, 0x11, ipv4.bytesize].pack('CCn') + ipv4
  request = "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n"

  context 'when a trusted proxy speaks it' do
    before(:context) do
      @server = boot(ProxyApp::SOURCE, '-w', '1', '-v', '--proxy-protocol', '--trusted-proxy', '127.0.0.1',
                     '--trusted-proxy', '10.0.0.0/8', '--head-timeout', '1')
    end

    {
      'version 1' => [line, '192.0.2.1'],
      'version 1, IPv6' => ["PROXY TCP6 2001:db8::1 2001:db8::2 5000 80\r\n", '2001:db8::1'],
      'version 1, unknown' => ["PROXY UNKNOWN a b c\r\n", '127.0.0.1'],
      'version 2' => [two, '192.0.2.1'],
      'version 2, IPv6' => [signature + [0x21, 0x21, 36].pack('CCn') + ipv6, '2001:db8::1'],
      'version 2, with more behind the addresses' => [signature + [0x21, 0x11, 4080].pack('CCn') + ipv4 + ("\4" * 4068), '192.0.2.1'],
      'version 2, local' => [signature + [0x20, 0, 0].pack('CCn'), '127.0.0.1'],
      'version 2, unspecified' => ["#{signature}#{[0x21, 0, 3].pack('CCn')}abc", '127.0.0.1']
    }.each do |what, (header, expected)|
      it "has the address for all requests of the connection: #{what}" do
        client = dial.write(header)
        expect(Array.new(2) { seen(client.ask(request))['REMOTE_ADDR'] }).to eq([expected] * 2)
        together = dial.write(header.b + (request * 20))
        expect(Array.new(20) { seen(together.receive)['REMOTE_ADDR'] }.uniq).to eq([expected])
      end
    end

    { 'version 1' => line, 'version 2' => two }.each do |version, header|
      bytes = header.b + request.sub("\r\n\r\n", "\r\nConnection: close\r\n\r\n")

      it "reads it the same cut at each byte: #{version}" do
        answers = (1...bytes.bytesize).each_slice(64).flat_map do |cuts|
          clients = cuts.map { |cut| dial.tap { |client| client.write(bytes.byteslice(0, cut)) } }
          sleep 0.01 # the first parts are read
          clients.zip(cuts).each { |client, cut| client.write(bytes.byteslice(cut..)) }
          clients.map { |client| seen(client.receive)['REMOTE_ADDR'] }.tap { clients.each(&:close) }
        end
        expect(answers).to eq(['192.0.2.1'] * (bytes.bytesize - 1))
      end

      it "reads it byte by byte: #{version}" do
        client = dial
        bytes.each_char do |byte|
          client.write(byte)
          sleep 0.0005
        end
        expect(seen(client.receive)['REMOTE_ADDR']).to eq('192.0.2.1')
      end
    end

    {
      'no header' => request,
      'a TLS hello' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".b,
      'empty lines first' => "\r\n#{line}",
      'a line without end' => "PROXY TCP4 #{'1' * 200}",
      'a line with a bare LF' => line.sub("\r\n", "\n\r\n"),
      'a malformed address' => line.sub('192.0.2.1', '192.0.2.256'),
      'version 2 with a length over the limit' => signature + [0x21, 0x11, 0xffff].pack('CCn') + ipv4,
      'version 2 with a length that does not hold its addresses' => signature + [0x21, 0x21, ipv4.bytesize].pack('CCn') + ipv4,
      'version 2 with another command' => signature + [0x2f, 0x11, ipv4.bytesize].pack('CCn') + ipv4
    }.each do |what, bytes|
      it "closes without a word: #{what}" do
        client = dial
        client.try_write(bytes)
        client.try_write(request)
        expect(client.rest).to eq('')
      end
    end

    {
      'a beginning' => 'PROXY TCP4 192.0',
      'nothing' => '',
      'version 2 that lies about its length' => signature + [0x21, 0x11, 4000].pack('CCn') + ipv4
    }.each do |what, bytes|
      it "closes after the time for a head: #{what}" do
        client = dial
        client.write(bytes) unless bytes.empty?
        expect(client.closed_by_peer?(4)).to be(true)
      end
    end

    [line, two].each do |second|
      it 'takes no second one for a header' do
        client = dial.write(line.b + second)
        expect(client.receive.status).to eq(400)
        expect(client.rest).to eq('')
      end

      it 'takes none after a request' do
        client = dial.write(line + request)
        expect(client.receive.status).to eq(200)
        expect(client.ask(second + request).status).to eq(400)
      end
    end

    it 'believes X-Forwarded-For of a proxy that it names, not of a client' do
      forwarded = request.sub("\r\n\r\n", "\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n")
      expect(seen(dial.ask(line + forwarded))['REMOTE_ADDR']).to eq('192.0.2.1')
      expect(seen(dial.ask(line.sub('192.0.2.1', '10.0.0.1') + forwarded))['REMOTE_ADDR']).to eq('198.51.100.1')
      expect(seen(dial.ask("PROXY UNKNOWN\r\n#{forwarded}"))['REMOTE_ADDR']).to eq('198.51.100.1')
    end

    it 'logs the address of the client' do
      dial.write(line.sub('192.0.2.1', '192.0.2.99')).ask(request)
      @server.wait_for(/^192\.0\.2\.99 - - /)
    end

    it 'takes it of curl' do
      expect(JSON.parse(curl('--haproxy-protocol', "http://127.0.0.1:#{@server.port}/"))['REMOTE_ADDR']).to eq('127.0.0.1')
    end

    it 'goes on when peers close or reset in the middle of it' do
      descriptors = @server.descriptors
      20.times { |n| dial.write(two.byteslice(0, n + 1)).then { |client| n.even? ? client.close : client.reset } }
      expect(seen(dial { |client| client.ask(line + request) })['REMOTE_ADDR']).to eq('192.0.2.1')
      eventually { @server.descriptors <= descriptors }
    end
  end

  it 'closes connections of others unread' do
    @server = boot(ProxyApp::SOURCE, '-w', '1', '--proxy-protocol', '--trusted-proxy', '10.0.0.0/8')
    client = dial
    client.try_write(line + request)
    expect(client.rest).to eq('')
  end

  it 'counts the connections of an address by the client it names' do
    @server = boot(ProxyApp::SOURCE, '-w', '1', '--proxy-protocol', '--trusted-proxy', '127.0.0.1', '--max-per-address', '1')
    other = line.sub('192.0.2.1', '192.0.2.9')
    headers = [line, other, "PROXY UNKNOWN\r\n", line, other, "PROXY UNKNOWN\r\n"]
    clients = headers.map { |header| dial.tap { |client| client.try_write(header + request) } }
    expect(clients.map { |client| client.receive.status }).to eq([200, 200, 200, 503, 503, 200])
  end

  it 'is spoken on a Unix socket without a list' do
    path = File.join(work_dir, 'app.sock')
    server = boot_script(<<~RUBY)
      Iodine.workers = 1
      app = ->(env) { [200, {}, [env['REMOTE_ADDR']]] }
      Iodine.listen(url: 'unix://#{path}', service: :http, proxy_protocol: true, handler: app)
      Iodine.listen(service: :http, address: '127.0.0.1', port: ENV['PORT'], handler: app)
      Iodine.start
    RUBY
    forwarded = request.sub("\r\n\r\n", "\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n")
    answers = [line + request, "PROXY UNKNOWN\r\n#{request}", line + forwarded, "PROXY UNKNOWN\r\n#{forwarded}"].map do |bytes|
      client = Support::RawClient.unix(path)
      client.ask(bytes).body.tap { client.close }
    end
    expect(answers).to eq(%w[192.0.2.1 127.0.0.1 192.0.2.1 198.51.100.1])
    expect(server.get.body).to eq('127.0.0.1')
  end

  context 'when TLS follows' do
    before(:context) do
      @server = boot(ProxyApp::SOURCE, '-w', '1', '--tls', '--proxy-protocol', '--trusted-proxy', '127.0.0.1')
    end

    def secure(client)
      require 'openssl'
      context = OpenSSL::SSL::SSLContext.new.tap { |made| made.verify_mode = OpenSSL::SSL::VERIFY_NONE }
      OpenSSL::SSL::SSLSocket.new(client.socket, context).connect
    end

    def over_tls(tls, bytes)
      tls.write(bytes.sub("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
      JSON.parse(tls.read.split("\r\n\r\n", 2).last[/\{.*\}/m])
    end

    { 'version 1' => line, 'version 2' => two }.each do |version, header|
      it "has the address and the scheme: #{version}" do
        env = over_tls(secure(dial.write(header)), request)
        expect(env).to include('REMOTE_ADDR' => '192.0.2.1', 'rack.url_scheme' => 'https', 'HTTPS' => 'on', 'SERVER_PORT' => '443')
      end
    end

    it 'takes it with the first bytes of the hello, and of curl' do
      r, w = Socket.pair(:UNIX, :STREAM)
      tls = Thread.new { secure(Struct.new(:socket).new(r)) }
      hello = w.readpartial(65_536)
      client = dial.write(line + hello)
      pump = [[client.socket, w], [w, client.socket]].map { |from, to| Thread.new { IO.copy_stream(from, to) } }
      expect(over_tls(tls.value, request)['REMOTE_ADDR']).to eq('192.0.2.1')
      pump.each(&:kill)
      out = curl('-k', '--haproxy-protocol', "https://127.0.0.1:#{@server.port}/")
      expect(JSON.parse(out)).to include('REMOTE_ADDR' => '127.0.0.1', 'rack.url_scheme' => 'https')
    end

    it 'believes a proxy that says http' do
      local = request.sub("\r\n\r\n", "\r\nX-Forwarded-Proto: http\r\n\r\n")
      env = over_tls(secure(dial.write("PROXY UNKNOWN\r\n")), local)
      expect(env).to include('rack.url_scheme' => 'http', 'SERVER_PORT' => '80')
      expect(env).not_to have_key('HTTPS')
    end

    it 'closes without the header, and on a hello before it' do
      [request, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".b].each do |bytes|
        expect(dial.try_write(bytes).rest).to eq('')
      end
      expect(dial.write(line + request).receive.status).to eq(400)
    end
  end

  it 'does not hold up a stop' do
    @server = boot(ProxyApp::SOURCE, '-w', '1', '--proxy-protocol', '--trusted-proxy', '127.0.0.1', '--head-timeout', '60')
    idle = dial.write('PROXY TCP4 ')
    expect(seen(dial.ask(line + request))['REMOTE_ADDR']).to eq('192.0.2.1')
    @server.kill
    expect(idle.closed_by_peer?(10)).to be(true)
    expect(@server.wait(timeout: 10)).to be_success
  end
end
