# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'Iodine.listen with TLS' do
  include Secure

  # Serves what the calls listen to, and gives the banner's lines and the warnings.
  def places(code)
    _, err, = run_ruby(<<~RUBY)
      TLS = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      APP = ->(_env) { [200, {}, ['ok']] }
      Iodine::DEFAULT_SETTINGS.update(port: 0, address: '127.0.0.1')
      Iodine.threads = Iodine.workers = 1
      Iodine.on_state(:on_start) { Iodine.run { Iodine.stop } }
      #{code}
      Iodine.start
    RUBY
    [*err.scan(%r{listening on (\w+)://}).flatten, *err.scan('self-signed')]
  end

  {
    'service: :https' => %w[https self-signed], 'service: "wss"' => %w[https self-signed],
    'url: "https://127.0.0.1:0"' => %w[https self-signed], 'url: "WSS://127.0.0.1:0"' => %w[https self-signed],
    'service: :http, url: "https://127.0.0.1:0"' => %w[https self-signed],
    'service: :https, url: "http://127.0.0.1:0"' => %w[https self-signed],
    'service: :https, tls: Iodine::TLS.new' => %w[https self-signed], 'service: :https, tls: false' => %w[https self-signed],
    'service: :https, tls: TLS' => %w[https], 'service: :http, tls: TLS' => %w[https],
    'url: "http://127.0.0.1:0", tls: TLS' => %w[https], 'service: :http, tls: nil' => %w[http],
    'service: :http, address: %w[http://127.0.0.1:0 https://127.0.0.1:0], tls: TLS' => %w[http https]
  }.each do |arguments, found|
    it "does #{found.join(', ')} for (#{arguments})" do
      expect(places("Iodine.listen(#{arguments}, handler: APP)")).to eq(found)
    end
  end

  {
    'service: :http' => %w[https], 'service: :http, tls: false' => %w[http],
    'url: "http://127.0.0.1:0"' => %w[http], 'url: "ws://127.0.0.1:0"' => %w[http],
    'address: %w[127.0.0.1 https://127.0.0.1:0], service: :http' => %w[http https],
    'service: :http, address: "./plain.sock"' => %w[unix]
  }.each do |arguments, found|
    it "does #{found.join(', ')} for (#{arguments}) when the defaults have TLS" do
      Dir.chdir(work_dir) do
        expect(places("Iodine::DEFAULT_SETTINGS[:tls] = TLS; Iodine.listen(#{arguments}, handler: APP)")).to eq(found)
      end
    end
  end

  it 'serves TLS on a Unix socket when it is told to' do
    path = File.join(work_dir, 'app.sock')
    boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['plain']] }
      Iodine.listen(service: :https, address: #{path.dump}, tls: tls) { |env| [200, {}, [env['rack.url_scheme']]] }
      Iodine.start
    RUBY
    expect(curl('--cacert', @authority.path, '--unix-socket', path, 'https://example.test/')).to eq('https')
  end

  it 'listens again after a stop, with what the files have then' do
    other = @authority.issue('other.test', file: 'other')
    @server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      Iodine.listen(service: :https, address: '127.0.0.1', tls: tls) { [200, {}, ['ok']] }
      Iodine.on_state(:on_start) { Iodine.run { Iodine.stop } unless $again }
      Iodine.start
      File.write(#{@site.certificate.dump}, File.read(#{other.certificate.dump}))
      File.write(#{@site.key.dump}, File.read(#{other.key.dump}))
      $again = true
      Iodine.start
    RUBY
    @server.wait_for(/loaded again/)
    expect(shown_to('other.test')).to eq('other.test')
  end

  it 'takes certificates after the call too' do
    other = @authority.issue('late.test', file: 'late')
    @server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      Iodine.listen(service: :https, address: '127.0.0.1', tls: tls) { [200, {}, ['ok']] }
      tls.use_certificate('late.test', #{other.certificate.dump}, #{other.key.dump})
      Iodine.start
    RUBY
    expect(shown_to('late.test')).to eq('late.test')
  end
end
