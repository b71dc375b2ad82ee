# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'Iodine::TLS' do
  include Secure

  hello = "run ->(env) { [200, { 'content-type' => 'text/plain' }, [env['HTTP_HOST'].to_s]] }\n"

  # What a program that makes a TLS object says: its error, or "fine".
  def outcome(code)
    ruby_output(<<~RUBY).strip
      begin
        #{code}
        puts 'fine'
      rescue => e
        puts "\#{e.class}: \#{e.message}"
      end
    RUBY
  end

  def serve(code)
    boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      #{code}
      Iodine.listen(service: :http, address: '127.0.0.1', tls: tls) { |env| [200, {}, [env['HTTP_HOST'].to_s]] }
      Iodine.start
    RUBY
  end

  describe 'with certificates for several names' do
    before(:context) do
      other = @authority.issue('other.test')
      wild = @authority.issue('*.wild.test')
      big = @authority.issue('rsa.test', rsa: 2048)
      @server = serve(<<~RUBY)
        tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
        tls.use_certificate(server_name: 'other.test', certificate: #{other.certificate.dump}, private_key: #{other.key.dump})
        tls.use_certificate(certificate: #{wild.certificate.dump}, private_key: #{wild.key.dump})
        tls.use_certificate(nil, #{big.certificate.dump}, #{big.key.dump})
        tls.use_certificate('alias.test', #{big.certificate.dump}, #{big.key.dump})
      RUBY
    end

    { 'example.test' => 'example.test', 'other.test' => 'other.test', 'OTHER.test' => 'other.test',
      'one.wild.test' => '*.wild.test', 'rsa.test' => 'rsa.test', 'alias.test' => 'rsa.test',
      'unknown.test' => 'example.test', 'wild.test' => 'example.test', 'a.b.wild.test' => 'example.test' }.each do |name, shown|
      it("shows #{shown} to who asks for #{name}") { expect(shown_to(name)).to eq(shown) }
    end

    it 'shows the first to who asks for none' do
      out, = Open3.capture2e('timeout', '10', 'openssl', 's_client', '-connect', "127.0.0.1:#{@server.port}",
                             '-noservername', stdin_data: '')
      expect(out).to match(/subject=.*example\.test/)
    end

    it('has one that curl trusts') { expect(curl_site(name: 'other.test')).to eq("other.test:#{@server.port}") }
  end

  it 'sends the certificates between its own and the root' do
    chain = File.join(work_dir, 'chain.pem')
    File.write(chain, File.read(@site.certificate) + File.read(@authority.path))
    @server = boot(hello, '-w', '1', '-t', '1', '-cert', chain, '-key', @site.key)
    expect(s_client('-showcerts').scan('BEGIN CERTIFICATE').size).to be >= 2
  end

  it 'finds the key in the same file' do
    both = File.join(work_dir, 'both.pem')
    File.write(both, File.read(@site.certificate) + File.read(@site.key))
    @server = boot(hello, '-w', '1', '-t', '1', '-cert', both)
    expect(curl_site).to eq("example.test:#{@server.port}")
  end

  it 'makes a self-signed certificate for a name' do
    @server = serve("tls = Iodine::TLS.new('localhost')")
    expect(shown_to('localhost')).to eq('localhost')
    pem = File.join(work_dir, 'self.pem')
    File.write(pem, s_client[/-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n/m])
    expect(curl('--cacert', pem, "https://localhost:#{@server.port}/")).to eq("localhost:#{@server.port}")
    expect(curl('--cacert', pem, "https://127.0.0.1:#{@server.port}/")).to eq("127.0.0.1:#{@server.port}")
    expect(@server.stderr).not_to include('WARNING')
  end

  it 'takes a key with its password' do
    locked = @authority.issue('example.test', password: 'secret', file: 'locked')
    expect(outcome("Iodine::TLS.new('example.test', #{locked.certificate.dump}, #{locked.key.dump}, 'secret')")).to eq('fine')
    @server = boot(hello, '-w', '1', '-t', '1', *site_options(locked), '-tls-pass', 'secret')
    expect(curl_site).to eq("example.test:#{@server.port}")
  end

  { 'another' => "'wrong'", 'no' => 'nil', 'an empty' => "''" }.each do |what, password|
    it "names the key that it can't read with #{what} password, and asks nobody" do
      locked = @authority.issue('example.test', password: 'secret', file: 'locked')
      expect(outcome("Iodine::TLS.new('example.test', #{locked.certificate.dump}, #{locked.key.dump}, #{password})"))
        .to match(/\ARuntimeError: .*#{Regexp.escape(locked.key)}.*password/)
    end
  end

  it 'names a missing file' do
    path = File.join(work_dir, 'missing.pem')
    [["nil, #{path.dump}, #{@site.key.dump}", /certificate .*missing\.pem: No such file/],
     ["nil, #{@site.certificate.dump}, #{path.dump}", /private key .*missing\.pem: No such file/],
     ["nil, #{path.dump}", /certificate .*missing\.pem: No such file/]].each do |arguments, error|
      expect(outcome("Iodine::TLS.new(#{arguments})")).to match(/\ARuntimeError: can't read the #{error.source}/)
    end
    expect(outcome("Iodine::TLS.new('x').trust(#{path.dump})")).to match(/\ARuntimeError: .*missing\.pem: No such file/)
  end

  it 'names a file that is no PEM, or the wrong one' do
    bad = write_file(work_dir, 'bad.pem', "nothing\n")
    cut = write_file(work_dir, 'cut.pem', File.read(@site.certificate)[0, 300])
    other = @authority.issue('other.test')
    [["nil, #{bad.dump}, #{@site.key.dump}", 'bad.pem'], ["nil, #{cut.dump}, #{@site.key.dump}", 'cut.pem'],
     ["nil, #{@site.certificate.dump}, #{bad.dump}", 'bad.pem'],
     ["nil, #{@site.key.dump}, #{@site.key.dump}", @site.key],
     ["nil, #{@site.certificate.dump}, #{other.key.dump}", other.key],
     ["nil, #{work_dir.dump}, #{@site.key.dump}", 'iodine-spec']].each do |arguments, named|
      expect(outcome("Iodine::TLS.new(#{arguments})")).to match(/\ARuntimeError: [^\n]*#{Regexp.escape(named)}[^\n]*\z/)
    end
    expect(outcome("Iodine::TLS.new('x').trust(#{bad.dump})")).to match(/\ARuntimeError: .*bad\.pem/)
  end

  {
    'Iodine::TLS.new(5)' => /TypeError: server_name must be a String, not Integer/,
    'Iodine::TLS.new("x", 5)' => /TypeError: the path of the certificate must be a String, not Integer/,
    'Iodine::TLS.new(nil, nil, "key.pem")' => /ArgumentError: .*certificate/,
    'Iodine::TLS.new(private_key: "key.pem")' => /ArgumentError: .*certificate/,
    'Iodine::TLS.new(nil, nil)' => /ArgumentError: .*server name/,
    'Iodine::TLS.new(colour: 1)' => /ArgumentError: .*colour/,
    'Iodine::TLS.new("a", "b", "c", "d", "e")' => /ArgumentError: .*4 arguments/,
    'Iodine::TLS.new("x").trust(5)' => /TypeError: .*must be a String, not Integer/,
    'Iodine::TLS.new("x").on_protocol("http/1.1")' => /ArgumentError: on_protocol needs a block/,
    'Iodine::TLS.new("x").on_protocol(:http) {}' => /TypeError: a protocol's name must be a String/,
    'Iodine::TLS.new("x").on_protocol("h2") {}' => /RuntimeError: .*not available in this version/,
    'Iodine::TLS.new; Iodine::TLS.new("x"); Iodine::TLS.new({ server_name: "x" })' => /fine/
  }.each do |code, result|
    it("answers #{code}") { expect(outcome(code)).to match(/\A#{result}/) }
  end

  it 'calls the block of a protocol with the first request of a connection' do
    @server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      told = []
      tls = Iodine::TLS.new('example.test', #{@site.certificate.dump}, #{@site.key.dump})
      tls.on_protocol('http/1.1') { told << :chosen }.on_protocol('http/1.0') { raise 'on purpose' }
      Iodine.listen(service: :https, address: '127.0.0.1', tls: tls) { |_| [200, {}, [told.size.to_s]] }
      Iodine.start
    RUBY
    expect(secure.get.body).to eq('0') # offered nothing
    client = secure { |context| context.alpn_protocols = ['http/1.1'] }
    expect([client.get.body, client.get.body]).to eq(%w[1 1])
    expect(secure { |context| context.alpn_protocols = ['http/1.1'] }.get.body).to eq('2')
    expect(secure { |context| context.alpn_protocols = ['http/1.0'] }.get.body).to eq('2')
    expect(@server.stderr).to include('on purpose')
  end
end
