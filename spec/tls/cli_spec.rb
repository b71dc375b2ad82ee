# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'The options for TLS' do
  include Secure

  app = "run ->(env) { [200, { 'content-type' => 'text/plain' }, [env['rack.url_scheme']]] }\n"

  def free_ports(count)
    Array.new(count) { Support::Server.free_port }
  end

  it 'make a self-signed certificate with -tls alone, and say so' do
    @server = boot(app, '-w', '1', '-t', '1', '-tls')
    expect(curl('-k', "https://127.0.0.1:#{@server.port}/")).to eq('https')
    expect(@server.stderr).to match(/WARNING: .*self-signed/)
    expect(shown_to('x')).to eq(Socket.gethostname)
  end

  it 'do so for an https URL alone' do
    plain, secret = free_ports(2)
    boot(app, '-w', '1', '-t', '1', '-p', plain.to_s, '-b', "http://127.0.0.1:#{plain}", '-b', "https://127.0.0.1:#{secret}")
    expect(curl("http://127.0.0.1:#{plain}/")).to eq('http')
    expect(curl('-k', "https://127.0.0.1:#{secret}/")).to eq('https')
  end

  it 'serve the https URLs only, beside others' do
    plain, one, two = free_ports(3)
    socket = File.join(work_dir, 'app.sock')
    boot(app, '-w', '2', '-t', '1', '-p', plain.to_s, '-b', "http://127.0.0.1:#{plain}", '-b', "https://127.0.0.1:#{one}",
         '-b', "wss://127.0.0.1:#{two}", '-b', "unix://#{socket}", *site_options)
    expect(curl("http://127.0.0.1:#{plain}/")).to eq('http')
    expect([one, two].map { |port| curl_site(port: port) }).to eq(%w[https https])
    expect(curl('--unix-socket', socket, 'http://x/')).to eq('http')
  end

  [%w[-cert CERT -key KEY], %w[--tls-cert=CERT --tls-key=KEY], %w[-tls -tls-cert CERT -tls-key KEY]].each do |options|
    it "are understood as #{options.join(' ')}" do
      options = options.map { |word| word.sub('CERT', @site.certificate).sub('KEY', @site.key) }
      @server = boot(app, '-w', '1', '-t', '1', *options)
      expect(curl_site).to eq('https')
    end
  end

  it 'hold for a script that listens' do
    script = write_file(work_dir, 'app.rb', "Iodine.listen(service: :http) { [200, {}, ['script']] }\n")
    @server = boot_cli('-w', '1', '-t', '1', *site_options, script)
    expect(curl_site).to eq('script')
  end

  {
    '-tls-cert /nowhere.pem' => %r{can't read the certificate /nowhere\.pem: No such file},
    '-tls-cert CERT -tls-key /nowhere.pem' => %r{can't read the private key /nowhere\.pem},
    '-tls-cert CERT -tls-key CERT' => /CERT/,
    '-tls-key KEY' => /-tls-key.* needs its certificate/,
    '-tls-pass secret' => /-tls-pass.* needs its certificate/,
    '-tls-cert -b 127.0.0.1' => /-tls-cert needs a value/,
    '-tls-cert CERT -tls-key KEY -b http://127.0.0.1:0' => /-tls-cert is of no use/,
    '-tls -b unix:///tmp/none.sock' => /-tls is of no use/
  }.each do |line, error|
    it "answer #{line} with one line and exit status 64" do
      words = line.split.map { |word| word.sub('CERT', @site.certificate).sub('KEY', @site.key) }
      out, err, status = run_cli('-p', '0', *words, write_file(work_dir, 'config.ru', app))
      expect([status.exitstatus, out, err.lines.size]).to eq([64, '', 1]), err
      expect(err).to match(/\Aiodine: .*#{error.source.sub('CERT', Regexp.escape(@site.certificate))}/)
    end
  end

  it 'have the handlers of Rack take URLs' do
    server = boot_script(<<~RUBY)
      Iodine.workers = Iodine.threads = 1
      Iodine::Rack.run(->(env) { [200, {}, [env['rack.url_scheme']]] }, Host: 'https://127.0.0.1', Port: ENV.fetch('PORT'))
    RUBY
    expect(curl('-k', "https://127.0.0.1:#{server.port}/")).to eq('https')
  end
end
