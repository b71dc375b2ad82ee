# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'TLS' do
  include Secure

  app = <<~'RUBY'
    run(lambda do |env|
      told = %w[rack.url_scheme HTTPS SERVER_PORT HTTP_SSL_CLIENT_VERIFY SSL_CLIENT_VERIFY rack.peer_cert]
      [200, { 'content-type' => 'text/plain' }, told.map { |name| "#{name}=#{env[name].inspect}\n" }]
    end)
  RUBY

  before(:context) { @server = boot(app, '-w', '1', '-t', '2', *site_options) }

  it 'serves curl' do
    expect(curl_site).to include('rack.url_scheme="https"').and include('HTTPS="on"')
      .and include("SERVER_PORT=\"#{@server.port}\"")
  end

  it 'takes 443 as the port of a Host without one' do
    expect(secure.get('/', 'host' => 'example.test').body).to include('SERVER_PORT="443"')
  end

  it 'names https in the banner' do
    expect(@server.stderr).to include("listening on https://127.0.0.1:#{@server.port}")
  end

  it 'lets no client claim a certificate by headers' do
    body = secure.get('/', 'ssl-client-verify' => 'SUCCESS', 'ssl_client_verify' => 'SUCCESS').body
    expect(body).to include('HTTP_SSL_CLIENT_VERIFY="SUCCESS"').and include("\nSSL_CLIENT_VERIFY=nil")
      .and include('rack.peer_cert=nil')
  end

  describe 'versions' do
    { '-tls1_2' => 'TLSv1.2', '-tls1_3' => 'TLSv1.3' }.each do |flag, version|
      it("speaks #{version}") { expect(s_client(flag)).to match(/(?:Protocol *: |New, )#{version}/) }
    end

    %w[-tls1 -tls1_1].each do |flag|
      it "refuses #{flag}" do
        out = s_client(flag, '-cipher', 'ALL:@SECLEVEL=0')
        expect(out).to match(/Cipher is \(NONE\)/).and match(/alert protocol version|unsupported protocol/)
      end
    end
  end

  describe 'ciphers' do
    %w[AES128-SHA ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES256-SHA384 NULL-SHA256 aNULL].each do |cipher|
      it "refuses #{cipher}" do
        expect(s_client('-tls1_2', '-cipher', "#{cipher}:@SECLEVEL=0")).to match(/Cipher is \(NONE\)/)
      end
    end

    %w[ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305].each do |cipher|
      it("takes #{cipher}") { expect(s_client('-tls1_2', '-cipher', cipher)).to include("Cipher is #{cipher}") }
    end

    it 'compresses nothing' do
      expect(s_client('-tls1_2', '-comp')).to include('Compression: NONE')
    end
  end

  describe 'ALPN' do
    it 'chooses HTTP/1.1 of what is offered' do
      expect(s_client('-alpn', 'h2,http/1.1')).to include('ALPN protocol: http/1.1')
      expect(s_client('-alpn', 'http/1.0')).to include('ALPN protocol: http/1.0')
    end

    it 'goes on without it' do
      expect(s_client).to include('No ALPN negotiated').and include('Cipher is TLS_')
    end

    it 'refuses who offers nothing that it speaks' do
      expect(s_client('-alpn', 'h2')).to match(/alert no application protocol/)
    end
  end

  it 'refuses to renegotiate' do
    script = <<~SHELL
      { printf 'R\\n'; sleep 1; } |
        timeout 10 openssl s_client -connect 127.0.0.1:#{@server.port} -tls1_2 -servername example.test 2>&1
    SHELL
    out, = Open3.capture2e('sh', '-c', script)
    expect(out).to match(/RENEGOTIATING/).and match(/no renegotiation|handshake failure|closed/i)
    expect(curl_site).to include('HTTPS')
  end

  it 'answers plain HTTP with 400, and closes' do
    client = dial
    expect(client.get('/').status).to eq(400)
    expect(client).to be_closed_by_peer
  end

  it 'closes on garbage, and serves others' do
    ["\x00" * 600, "\x16\x03\x01\xff\xff#{'x' * 600}", "\x16\x03\x01\x00\x05hello", "\x80\x2e\x01\x03\x01#{"\x00" * 50}"].each do |bytes|
      client = dial.try_write(bytes.b)
      client.try_write('') && client.shut
      expect { client.rest }.not_to raise_error
    end
    expect(curl_site).to include('HTTPS')
  end

  it 'says goodbye before it closes' do
    client = secure
    client.get('/', 'connection' => 'close')
    expect(client.rest).to eq('')
    expect(ssl_of(client).state).not_to be_nil # SSLSocket raises SSLError at an end without close_notify
  end

  context 'with connections that never finish the handshake' do
    before(:context) { @slow = boot(app, '-w', '1', '-t', '1', '--head-timeout', '6', *site_options) }

    it 'serves others meanwhile, and ends them' do
      hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".b
      half = Array.new(500) { @slow.client.tap { |client| client.write(hello) } }
      10.times { expect(curl_site(port: @slow.port)).to include('HTTPS') }
      expect(half.count { |client| client.closed_by_peer?(0) }).to be < 500
      expect(half.all? { |client| client.rest(within: 30) }).to be(true)
    ensure
      half&.each(&:close)
    end
  end

  describe 'a second connection' do
    # TLS 1.3 sends tickets after the handshake, with the first bytes that are read.
    def session(name = 'example.test', version: OpenSSL::SSL::TLS1_3_VERSION, **options)
      found = nil
      client = secure(name, **options) do |context|
        context.min_version = context.max_version = version
        context.session_cache_mode = OpenSSL::SSL::SSLContext::SESSION_CACHE_CLIENT
        context.session_new_cb = ->((_, session)) { found = session }
      end
      client.get('/')
      client.close
      found or raise 'the server gave no ticket'
    end

    def resumed?(session, name = 'example.test', version: OpenSSL::SSL::TLS1_3_VERSION, port: @server.port)
      client = secure(name, session: session, port: port) { |context| context.min_version = context.max_version = version }
      client.get('/')
      ssl_of(client).session_reused?
    ensure
      client&.close
    end

    [OpenSSL::SSL::TLS1_2_VERSION, OpenSSL::SSL::TLS1_3_VERSION].each do |version|
      name = { OpenSSL::SSL::TLS1_2_VERSION => '1.2', OpenSSL::SSL::TLS1_3_VERSION => '1.3' }[version]

      it "resumes with TLS #{name}" do
        expect(resumed?(session(version: version), version: version)).to be(true)
      end

      it "does not resume under another name with TLS #{name}" do
        expect(resumed?(session(version: version), 'www.example.test', version: version)).to be(false)
      end

      it "resumes at every worker and after their rotation with TLS #{name}" do
        server = boot("run ->(env) { [200, {}, [Process.pid.to_s]] }\n", '-w', '2', '-t', '1', *site_options, lint: false)
        ticket = session(version: version, port: server.port)
        expect(Array.new(12) { resumed?(ticket, version: version, port: server.port) }).to all(be(true))
        before = server.children
        server.kill(:USR1)
        eventually(within: 15) { server.children.size == 2 && !server.children.intersect?(before) }
        expect(Array.new(6) { resumed?(ticket, version: version, port: server.port) }).to all(be(true))
      end
    end
  end
end
