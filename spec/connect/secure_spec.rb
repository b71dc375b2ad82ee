# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'Iodine.connect over TLS' do
  before do
    @dir = work_dir
    @authority = Support::Authority.new(@dir)
    @site = @authority.issue('localhost', names: %w[localhost *.wild.test])
  end

  # openssl's server, which answers what it is sent backwards, line by line, or speaks otherwise with more arguments.
  def s_server(*options, pair: @site)
    port = Support::Server.free_port
    launch(['openssl', 's_server', '-accept', "127.0.0.1:#{port}", '-cert', pair.certificate, '-key', pair.key, *options],
           port: nil)
    eventually(within: 20) { answers?(port) }
    port
  end

  def answers?(port)
    TCPSocket.new('127.0.0.1', port).close
    true
  rescue Errno::ECONNREFUSED
    false
  end

  TALK = <<~'RUBY'
    def on_open(client) = client.write("hello\n")
    def on_message(_client, data) = log('message', kind(data), data.chomp)
  RUBY

  # @param tls [String] what the set-up is made by, '' = none
  def connect_to(url, tls = trusting, callbacks: TALK, env: {})
    tls = tls.empty? ? '' : ", tls: #{tls}"
    boot_client(%(CONNECT.call(url: '#{url}'#{tls})), callbacks: callbacks, env: env)
  end

  def trusting(path = @authority.path)
    "Iodine::TLS.new.trust('#{path}')"
  end

  def expect_refused(reason)
    expect_told(/\Aclose false/)
    @client.wait_for(/no connection to \S+: no TLS: #{reason}/)
  end

  %w[-tls1_2 -tls1_3].each do |version|
    it "speaks to a server of an authority that tls: trusts (#{version})" do
      connect_to("tls://localhost:#{s_server('-rev', version)}")
      expect_told('message binary olleh')
    end
  end

  it 'trusts the system\'s store when no other is named' do
    connect_to("tls://localhost:#{s_server('-rev')}", '', env: { 'SSL_CERT_FILE' => @authority.path })
    expect_told('message binary olleh')
  end

  it 'asks for the host by name, and speaks TLS when tls: is given though the service says nothing' do
    port = s_server('-rev', '-servername', 'localhost', '-cert2', @site.certificate, '-key2', @site.key,
                    '-servername_fatal')
    boot_client(%(CONNECT.call(address: 'localhost', port: #{port}, tls: #{trusting})),
                callbacks: TALK)
    expect_told('message binary olleh')
  end

  describe 'refuses' do
    it 'a server of an authority that nobody named' do
      connect_to("tls://localhost:#{s_server('-rev')}", '', env: { 'SSL_CERT_FILE' => File::NULL, 'SSL_CERT_DIR' => @dir })
      expect_refused('the server\'s certificate is refused: unable to get local issuer certificate')
    end

    it 'a server of another authority' do
      other = Support::Authority.new(work_dir, name: 'another authority')
      connect_to("tls://localhost:#{s_server('-rev')}", trusting(other.path))
      expect_refused('the server\'s certificate is refused: unable to get local issuer certificate')
    end

    it 'another host\'s certificate' do
      connect_to("tls://localhost:#{s_server('-rev', pair: @authority.issue('example.test'))}")
      expect_refused('the server\'s certificate is refused: [Hh]ostname mismatch')
    end

    it 'a host\'s certificate for its address' do
      connect_to("tls://127.0.0.1:#{s_server('-rev')}")
      expect_refused('the server\'s certificate is refused: IP address mismatch')
    end

    it 'an expired certificate' do
      connect_to("tls://localhost:#{s_server('-rev', pair: @authority.issue('localhost', days: -9..-1, file: 'old'))}")
      expect_refused('the server\'s certificate is refused: certificate has expired')
    end

    it 'a client\'s certificate' do
      connect_to("tls://localhost:#{s_server('-rev', pair: @authority.issue('localhost', use: :client, file: 'client'))}")
      expect_refused('the server\'s certificate is refused: un\w+ certificate purpose')
    end

    it 'a server that speaks in clear' do
      listen
      connect_to("wss://localhost:#{@port}")
      accept.try_write("HTTP/1.1 400 Bad Request\r\n\r\n").rest
      expect_refused('the peer does not speak TLS')
    end
  end

  it 'shows a certificate to a server that asks for one' do
    mine = @authority.issue('client', use: :client)
    port = s_server('-rev', '-Verify', '1', '-verify_return_error', '-CAfile', @authority.path)
    connect_to("tls://localhost:#{port}", "Iodine::TLS.new(nil, '#{mine.certificate}', '#{mine.key}').trust('#{@authority.path}')")
    expect_told('message binary olleh')
  end

  it 'ends when a server wants a certificate and there is none' do
    port = s_server('-rev', '-Verify', '1', '-verify_return_error', '-CAfile', @authority.path)
    connect_to("tls://localhost:#{port}", callbacks: 'def on_open(_client) = nil')
    expect_told('close false nil nil')
  end

  it 'offers a protocol that on_protocol names' do
    tls = "#{trusting}.on_protocol('http/1.1') { Callbacks }"
    connect_to("tls://localhost:#{s_server('-rev', '-alpn', 'http/1.1')}", tls)
    expect_told('message binary olleh')
  end

  it 'reads files again that have changed' do
    port = s_server('-rev')
    other = Support::Authority.new(work_dir, name: 'another authority')
    named = File.join(@dir, 'named.pem')
    FileUtils.cp(other.path, named)
    boot_client(<<~RUBY, callbacks: TALK + <<~MORE)
      TLS = #{trusting(named)}
      CONNECT.call(url: 'tls://localhost:#{port}', tls: TLS)
    RUBY
      def on_close(client)
        log('close')
        return if @again

        @again = true
        File.rename('#{@authority.path}', '#{named}')
        Iodine.connect(url: 'tls://localhost:#{port}', tls: TLS, handler: self)
      end
    MORE
    expect_told('close', 'message binary olleh')
  end

  it 'gives wss: to an iodine server and back, much of it' do
    server = boot(<<~RUBY, '-tls-cert', @site.certificate, '-tls-key', @site.key, '-maxms', '4000')
      class Echo
        def self.on_message(client, data) = client.write(data)
      end
      run ->(env) { env['rack.upgrade'] = Echo if env['rack.upgrade?'] == :websocket; [200, {}, []] }
    RUBY
    boot_client(<<~RUBY, callbacks: <<~MORE)
      CONNECT.call(url: 'wss://localhost:#{server.port}/chat', max_msg: 4000, tls: #{trusting})
    RUBY
      def on_open(client) = client.write('x' * 3_000_000)
      def on_message(client, data)
        log('message', data == 'x' * 3_000_000)
        client.close
      end
    MORE
    expect_told('message true', 'close false 1000 nil')
  end
end
