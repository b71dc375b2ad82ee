# frozen_string_literal: true

require_relative 'proxy_app'

# What X-Forwarded-* and Forwarded change, and who may send them.
RSpec.describe 'Forwarded requests' do
  include ProxyApp

  context 'when they come from a trusted proxy' do
    before(:context) do
      @server = boot(ProxyApp::SOURCE, '-w', '1', '-v', '--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '127.0.0.1',
                     '--trusted-proxy', '2001:db8:ffff::/48')
    end

    {
      'without any' => [[], '127.0.0.1'],
      'one address' => ['X-Forwarded-For: 192.0.2.1', '192.0.2.1'],
      'the right-most one that is not trusted' => ['X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.2.3, 10.0.0.1', '192.0.2.1'],
      'one of several lines' => [['X-Forwarded-For: 6.6.6.6', 'X-FORWARDED-FOR: 192.0.2.1', 'x-forwarded-for: 10.1.2.3'], '192.0.2.1'],
      'the left-most if all are trusted' => ['X-Forwarded-For: 10.2.2.2, 10.1.1.1', '10.2.2.2'],
      'with a port' => ['X-Forwarded-For: 192.0.2.1:5000', '192.0.2.1'],
      'IPv6' => ['X-Forwarded-For: 2001:DB8::1', '2001:db8::1'],
      'IPv6 with brackets and port, behind another proxy' => ['X-Forwarded-For: [2001:db8::1]:80, 2001:db8:ffff::9', '2001:db8::1'],
      'IPv4 as IPv6' => ['X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.1', '192.0.2.1'],
      'empty items' => ['X-Forwarded-For: , 192.0.2.1 ,, 10.0.0.1 ,', '192.0.2.1'],
      'an empty line' => ['X-Forwarded-For:', '127.0.0.1'],
      'nothing of a malformed one' => ['X-Forwarded-For: 192.0.2.1, nobody', '127.0.0.1'],
      'nothing left of a malformed one' => ['X-Forwarded-For: 192.0.2.1, 1.2.3.04, 10.0.0.1', '10.0.0.1'],
      'no unknown one' => ['X-Forwarded-For: unknown', '127.0.0.1'],
      'no control bytes' => ["X-Forwarded-For: 192.0.2.1\t, 10.0.0.1", '192.0.2.1'],
      'a very long list' => ["X-Forwarded-For: #{(['9.9.9.9, '] * 500).join}192.0.2.1, #{(['10.0.0.1'] * 100).join(',')}", '192.0.2.1'],
      'Forwarded' => ['Forwarded: for=192.0.2.1', '192.0.2.1'],
      'Forwarded in quotes' => ['Forwarded: for="[2001:db8::1]:80";proto=http', '2001:db8::1'],
      'the right-most untrusted of Forwarded' => [['Forwarded: for=6.6.6.6, For="192.0.2.1:_x"', 'Forwarded: for=10.0.0.1;by=x'], '192.0.2.1'],
      'no obfuscated one' => ['Forwarded: for=192.0.2.1, for=_hidden, for=10.0.0.1', '10.0.0.1'],
      'no malformed Forwarded' => ['Forwarded: for=192.0.2.1;;for=1.1.1.1', '127.0.0.1'],
      'no more than X-Forwarded-For, if both are there' => [['Forwarded: for=6.6.6.6', 'X-Forwarded-For: 192.0.2.1'], '192.0.2.1'],
      'no Forwarded beside any X-Forwarded-*' => [['Forwarded: for=6.6.6.6', 'X-Forwarded-Proto: http'], '127.0.0.1'],
      'no name with an underscore' => ['X_Forwarded_For: 6.6.6.6', '127.0.0.1']
    }.each do |what, (lines, expected)|
      it("has as REMOTE_ADDR: #{what}") { expect(address(*lines)).to eq(expected) }
    end

    ['for="6.6.6.6', 'for=6.6.6.6;host="\\', '"', 'for="\\"', '=,;"'].each do |forged|
      it "is not misled by what a client begins: #{forged}" do
        expect(address("Forwarded: #{forged}, for=\"192.0.2.1:80\"")).to eq('192.0.2.1')
      end
    end

    {
      'https' => ['X-Forwarded-Proto: https', %w[https app.example 443]],
      'https in capitals' => ['X-Forwarded-Proto: HTTPS', %w[https app.example 443]],
      'wss' => ['X-Forwarded-Proto: wss', %w[https app.example 443]],
      'http' => ['X-Forwarded-Proto: http', %w[http app.example 80]],
      'the nearest scheme' => ['X-Forwarded-Proto: https, http', %w[http app.example 80]],
      'no other scheme' => ['X-Forwarded-Proto: javascript', %w[http app.example 80]],
      'a host' => ['X-Forwarded-Host: www.example', %w[http www.example 80]],
      'a host and scheme' => [['X-Forwarded-Host: www.example', 'X-Forwarded-Proto: https'], %w[https www.example 443]],
      'a host with its port' => [['X-Forwarded-Host: www.example:8443', 'X-Forwarded-Port: 1'], %w[http www.example 8443]],
      'the nearest host' => ['X-Forwarded-Host: evil.example, [2001:db8::1]:81', %w[http [2001:db8::1] 81]],
      'no malformed host' => ['X-Forwarded-Host: a/b', %w[http app.example 80]],
      'a port' => ['X-Forwarded-Port: 8080', %w[http app.example 8080]],
      'no malformed port' => ['X-Forwarded-Port: 080', %w[http app.example 80]],
      'no port over 65535' => ['X-Forwarded-Port: 65536', %w[http app.example 80]],
      'all of Forwarded' => ['Forwarded: for=1.1.1.1;proto=https;host="www.example:4443"', %w[https www.example 4443]],
      'the nearest of Forwarded' => ['Forwarded: for=1.1.1.1;proto=https;host=x, for=10.0.0.1;proto=http', %w[http app.example 80]]
    }.each do |what, (lines, expected)|
      it("has as scheme, name and port: #{what}") { expect(decided(*lines).drop(1)).to eq(expected) }
    end

    it 'has HTTPS with https alone, and every header as it came' do
      lines = ['X-Forwarded-For: 6.6.6.6, 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: www.example',
               'X-Forwarded-Port: 443', 'Forwarded: for=7.7.7.7']
      expect(env_of(*lines)).to include(
        'HTTPS' => 'on', 'HTTP_X_FORWARDED_FOR' => '6.6.6.6, 192.0.2.1', 'HTTP_X_FORWARDED_PROTO' => 'https',
        'HTTP_X_FORWARDED_HOST' => 'www.example', 'HTTP_X_FORWARDED_PORT' => '443', 'HTTP_FORWARDED' => 'for=7.7.7.7',
        'HTTP_HOST' => 'app.example'
      )
      expect(env_of('X-Forwarded-Proto: http')).not_to have_key('HTTPS')
    end

    it 'has what Rack::Request reads too' do
      env = env_of('X-Forwarded-For: 6.6.6.6, 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: www.example')
      expect(env).to include('url' => 'https://www.example/', 'ip' => '192.0.2.1')
    end

    it 'decides for each request of a connection' do
      client = dial
      expect(%w[192.0.2.1 192.0.2.2].map { |ip| address("X-Forwarded-For: #{ip}", client: client) }).to eq(%w[192.0.2.1 192.0.2.2])
      expect(decided(client: client)).to eq(%w[127.0.0.1 http app.example 80])
      client.write(%w[http https http].map.with_index do |scheme, n|
        "GET / HTTP/1.1\r\nHost: h#{n}\r\nX-Forwarded-For: 192.0.2.#{n}\r\nX-Forwarded-Proto: #{scheme}\r\n\r\n"
      end.join)
      expect(Array.new(3) { seen(client.receive).values_at('REMOTE_ADDR', 'rack.url_scheme', 'SERVER_NAME') })
        .to eq([%w[192.0.2.0 http h0], %w[192.0.2.1 https h1], %w[192.0.2.2 http h2]])
    end

    it 'has the address of the listener without any Host, and takes HTTP/1.0' do
      env = seen(dial.ask("GET / HTTP/1.0\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n"))
      expect(env.values_at('REMOTE_ADDR', 'rack.url_scheme', 'SERVER_NAME', 'SERVER_PORT'))
        .to eq(['192.0.2.1', 'https', '127.0.0.1', server.port.to_s])
      expect(seen(dial.ask("GET / HTTP/1.0\r\nX-Forwarded-Host: www.example\r\n\r\n")))
        .to include('SERVER_NAME' => 'www.example', 'SERVER_PORT' => '80')
    end

    it 'logs the address of the client' do
      dial.get('/logged', 'x-forwarded-for' => "192.0.2.77\t, 10.0.0.1")
      server.wait_for(%r{^192\.0\.2\.77 - - \[[^\]]*\] "GET /logged HTTP/1\.1" 200})
    end

    attr_reader :server
  end

  context 'when their peer is not trusted' do
    lines = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Port: 1']
    [[], %w[--trusted-proxy 10.0.0.0/8], %w[--trusted-proxy ::/0]].each do |options|
      it "changes nothing: #{options.join(' ')}" do
        @server = boot(ProxyApp::SOURCE, '-w', '1', '-v', *options)
        expect(decided(*lines)).to eq(%w[127.0.0.1 http app.example 80])
        expect(decided('Forwarded: for=192.0.2.1;proto=https;host=evil.example')).to eq(%w[127.0.0.1 http app.example 80])
        expect(env_of(*lines)).to include('HTTP_X_FORWARDED_FOR' => '192.0.2.1', 'HTTP_X_FORWARDED_HOST' => 'evil.example')
        expect(env_of(*lines)).not_to have_key('HTTPS')
        expect(@server.wait_for(/^\S+ - - .*$/)[0]).to start_with('127.0.0.1 ')
      end
    end
  end

  it 'trusts the peer of a Unix socket, and no proxy behind it' do
    path = File.join(work_dir, 'app.sock')
    boot(ProxyApp::SOURCE, '-w', '1', '-b', '127.0.0.1', '-b', "unix://#{path}")
    client = Support::RawClient.unix(path)
    expect(address(client: client)).to eq('127.0.0.1')
    expect(decided('X-Forwarded-For: 9.9.9.9, 192.0.2.1', 'X-Forwarded-Proto: https', client: client)).to eq(%w[192.0.2.1 https app.example 443])
    expect(address('X-Forwarded-For: _hidden', client: client)).to eq('127.0.0.1')
    client.close
  end

  it 'does not limit the connections of a trusted proxy as those of one client' do
    @server = boot(ProxyApp::SOURCE, '-w', '1', '--trusted-proxy', '127.0.0.1', '--max-per-address', '1')
    expect(Array.new(3) { dial }.map { |client| client.get.status }).to eq([200] * 3)
  end

  it 'trusts an IPv6 peer, and takes one String from Ruby' do
    server = boot_script(<<~RUBY)
      Iodine.workers = 1
      app = ->(env) { [200, {}, [env['REMOTE_ADDR']]] }
      Iodine.listen(service: :http, address: 'localhost', port: ENV['PORT'], trusted_proxy: '::1', handler: app)
      Iodine.start
    RUBY
    answers = %w[::1 127.0.0.1].map { |address| curl('-H', 'X-Forwarded-For: 192.0.2.1', "http://#{address.include?(':') ? "[#{address}]" : address}:#{server.port}/") }
    expect(answers).to eq(%w[192.0.2.1 127.0.0.1])
  end

  it 'has the address that Rails finds' do
    @server = boot(<<~RUBY, '-w', '1', '--trusted-proxy', '127.0.0.1', '--trusted-proxy', '10.0.0.0/8')
      require 'action_dispatch'
      use ActionDispatch::RemoteIp
      run ->(env) { [200, { 'content-type' => 'text/plain' }, [env['REMOTE_ADDR'], ' ', ActionDispatch::Request.new(env).remote_ip]] }
    RUBY
    expect(dial.get('/', 'x-forwarded-for' => '6.6.6.6, 192.0.2.1, 10.0.0.1').body).to eq('192.0.2.1 192.0.2.1')
  end
end

RSpec.describe 'Options for proxies' do
  it 'refuses what is no network, in one line' do
    _, errors, status = run_cli('--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '10.0.0/8', 'config.ru', dir: app_dir)
    expect(errors).to eq("iodine: --trusted-proxy \"10.0.0/8\" is no network: write it as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32\n")
    expect(status.exitstatus).to eq(64)
  end

  it 'refuses the PROXY protocol on TCP where nobody is trusted' do
    _, errors, status = run_cli('--proxy-protocol', '-p', '0', 'config.ru', dir: app_dir)
    expect(errors.lines.size).to eq(1)
    expect(errors).to include('proxy_protocol needs trusted_proxy')
    expect(status.exitstatus).to eq(1)
  end

  it 'raises in Ruby' do
    listen = ->(network) { "Iodine.listen(service: :http, port: 0, trusted_proxy: #{network}) { }" }
    messages = ['"localhost"', '[nil]', '["::1", 5]'].map do |network|
      ruby_output("begin; #{listen[network]}; rescue => e; print e.class, ' ', e.message; end")
    end
    expect(messages).to match([start_with('ArgumentError trusted_proxy "localhost" is no network'),
                               start_with('TypeError trusted_proxy must be a String, not NilClass'),
                               start_with('TypeError trusted_proxy must be a String, not Integer')])
  end

  def app_dir
    work_dir.tap { |dir| write_file(dir, 'config.ru', 'run ->(env) { [200, {}, []] }') }
  end
end
