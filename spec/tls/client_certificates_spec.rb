# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'TLS with client certificates' do
  include Secure

  names = %w[rack.peer_cert SSL_CLIENT_VERIFY SSL_CLIENT_CERT SSL_CLIENT_S_DN SSL_CLIENT_I_DN SSL_CLIENT_M_SERIAL
             SSL_CLIENT_V_START SSL_CLIENT_V_END]

  before(:context) do
    @client = @authority.issue('Jane Doe, of Example', names: %w[jane.test], use: :client)
    @open_port = Support::Server.free_port
    @server = boot_script(<<~RUBY)
      require 'rack'
      require 'rack/lint'
      require 'uri'
      Iodine.threads = 2
      Iodine.workers = 1
      tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump}).trust(#{@authority.path.dump})
      app = lambda do |env|
        told = %w[#{names.join(' ')}].map { |name| "\#{name}: \#{name['rack'] ? env[name].subject : env[name]}\n" }
        [200, { 'content-type' => 'text/plain' }, told]
      end
      Iodine.listen(service: :https, address: '127.0.0.1', tls: tls, handler: Rack::Lint.new(app))
      open = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      Iodine.listen(service: :https, address: '127.0.0.1', port: #{@open_port}, tls: open) { [200, {}, []] }
      Iodine.start
    RUBY
  end

  # TLS 1.3 tells a client only when it reads that its certificate was refused.
  def answer(...)
    secure(...).get.body
  rescue OpenSSL::SSL::SSLError, Support::RawClient::Closed, SystemCallError => e
    e.class
  end

  it 'tells the application who the client is' do
    certificate = OpenSSL::X509::Certificate.new(File.read(@client.certificate))
    2.times do
      expect(answer(pair: @client)).to eq(<<~TEXT)
        rack.peer_cert: /CN=Jane Doe, of Example
        SSL_CLIENT_VERIFY: SUCCESS
        SSL_CLIENT_CERT: #{certificate.to_pem}
        SSL_CLIENT_S_DN: CN=Jane Doe\\, of Example
        SSL_CLIENT_I_DN: CN=iodine spec authority
        SSL_CLIENT_M_SERIAL: #{certificate.serial.to_s(2).unpack1('H*').upcase}
        SSL_CLIENT_V_START: #{certificate.not_before.utc.strftime('%b %e %H:%M:%S %Y GMT')}
        SSL_CLIENT_V_END: #{certificate.not_after.utc.strftime('%b %e %H:%M:%S %Y GMT')}
      TEXT
    end
  end

  it 'serves curl that has one' do
    expect(curl_site('/', '--cert', @client.certificate, '--key', @client.key)).to include('SSL_CLIENT_VERIFY: SUCCESS')
  end

  [OpenSSL::SSL::TLS1_2_VERSION, OpenSSL::SSL::TLS1_3_VERSION].each do |version|
    context "of TLS #{version == OpenSSL::SSL::TLS1_2_VERSION ? '1.2' : '1.3'}" do
      def answer_with(pair, version)
        answer(pair: pair) { |context| context.min_version = context.max_version = version }
      end

      it('refuses who has none') { expect(answer_with(nil, version)).to be < StandardError }

      it 'refuses one that is over' do
        old = @authority.issue('old', days: -9..-2, use: :client)
        expect(answer_with(old, version)).to be < StandardError
      end

      it 'refuses one of another authority, also one of the same name' do
        [{}, { name: 'somebody' }].each do |options|
          other = Support::Authority.new(work_dir, **options).issue('jane', use: :client)
          expect(answer_with(other, version)).to be < StandardError
        end
      end

      it 'refuses one that is for servers' do
        expect(answer_with(@site, version)).to be < StandardError
      end

      # A connection's ticket, for the next one.
      def ticket(version, **options)
        found = nil
        client = secure(**options) do |context|
          context.min_version = context.max_version = version
          context.session_cache_mode = OpenSSL::SSL::SSLContext::SESSION_CACHE_CLIENT
          context.session_new_cb = ->((_, session)) { found = session }
        end
        client.get
        client.close
        found or raise 'the server gave no ticket'
      end

      it 'knows the client of a resumed session too' do
        client = secure(session: ticket(version, pair: @client)) { |context| context.max_version = version }
        expect(client.get.body).to include('SSL_CLIENT_S_DN: CN=Jane Doe')
        expect(ssl_of(client).session_reused?).to be(true)
      end

      it 'takes no ticket of a place that asks for no certificate' do
        session = ticket(version, port: @open_port)
        expect(answer(session: session) { |context| context.max_version = version }).to be < StandardError
      end
    end
  end
end
