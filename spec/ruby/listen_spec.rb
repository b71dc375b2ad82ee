# frozen_string_literal: true

RSpec.describe 'Iodine.listen' do
  # What the calls raise or return, a line each.
  def outcomes(*calls)
    ruby_output(<<~RUBY).lines(chomp: true)
      APP = ->(_env) { [200, {}, ['ok']] }
      Iodine::DEFAULT_SETTINGS[:port] = 0
      #{calls.map { |call| "begin; puts((#{call}).inspect); rescue => e; puts \"\#{e.class}: \#{e.message}\"; end" }.join("\n")}
    RUBY
  end

  # Serves the code's listeners in one process, and gives the lines that say where.
  def addresses(code)
    _, err, = run_ruby(<<~RUBY)
      APP = ->(_env) { [200, {}, ['ok']] }
      Iodine.threads = Iodine.workers = 1
      Iodine.on_state(:on_start) { Iodine.run { Iodine.stop } }
      #{code}
      Iodine.start
    RUBY
    err.scan(/listening on (\S+)/).flatten
  end

  it 'returns the handler' do
    expect(outcomes('Iodine.listen(service: :http, handler: APP).equal?(APP)',
                    'Iodine.listen(service: "http", app: APP).equal?(APP)',
                    'block = proc {}; Iodine.listen(service: :http, &block).equal?(block)',
                    'Iodine.listen({ service: :http, handler: APP }).equal?(APP)')).to all(eq('true'))
  end

  {
    'service: :http' => /ArgumentError: listen needs a Rack application/,
    'service: :http, handler: 5' => /TypeError: handler is Integer/,
    'service: 5, handler: APP' => /TypeError: service/,
    'service: :gopher, handler: APP' => /ArgumentError: unknown service "gopher"/,
    'service: :http, handler: APP, port: "many"' => /ArgumentError: port "many"/,
    'service: :http, handler: APP, port: "80 "' => /ArgumentError: port "80 "/,
    'service: :http, handler: APP, port: 65536' => /ArgumentError: port 65536/,
    'service: :http, handler: APP, port: -1' => /ArgumentError: port -1/,
    'service: :http, handler: APP, port: 80.0' => /TypeError: port must be/,
    'service: :http, handler: APP, address: 5' => /TypeError: address must be/,
    'service: :http, handler: APP, timeout: "5"' => /TypeError: timeout must be an Integer/,
    'service: :http, handler: APP, timeout: -1' => /RangeError: timeout is -1/,
    'service: :http, handler: APP, tls: Object.new' => /TypeError: tls must be an Iodine::TLS, not Object/,
    'service: :http, handler: APP, max_body: 0' => /RangeError: max_body is 0/,
    'service: :http, handler: APP, max_headers: 1_000_000' => /RangeError: max_headers/,
    'service: :raw' => /ArgumentError: listen needs a handler whose call returns/,
    'service: :raw, handler: Class.new' => /TypeError: handler is Class, .*whose call returns the callbacks object/,
    'service: :raw, handler: APP, timeout: 256' => /RangeError: timeout is 256: give a number from 0 to 255/,
    'handler: APP, timeout: "5"' => /TypeError: timeout must be an Integer/,
    'service: :raw, handler: APP, max_pending: 0' => /RangeError: max_pending is 0/,
    'service: :http, handler: APP, colour: 1' => /ArgumentError: listen does not know :colour/,
    'url: "http:/x", handler: APP' => /ArgumentError|RuntimeError/,
    'url: "http://[::1", handler: APP' => /ArgumentError: .* is no URL/,
    'url: "unix://", service: :http, handler: APP' => /ArgumentError: .* has no path/,
    '5.0' => /TypeError: listen needs keywords such as port: 3000, not Float/,
    'nil' => /TypeError: listen needs keywords such as port: 3000, not NilClass/
  }.each do |arguments, error|
    it("refuses (#{arguments})") { expect(outcomes("Iodine.listen(#{arguments})").first).to match(error) }
  end

  it 'says why it could not bind' do
    TCPServer.open('127.0.0.1', 0) do |taken|
      port = taken.addr[1]
      expect(outcomes("Iodine.listen(service: :http, address: '127.0.0.1', port: #{port}, handler: APP)").first)
        .to match(/\ARuntimeError: .*127\.0\.0\.1:#{port}.*in use/)
    end
    expect(outcomes("Iodine.listen(service: :http, address: 'no.such.host.invalid', handler: APP)").first)
      .to match(/\ARuntimeError: .*no\.such\.host\.invalid/)
    expect(outcomes("Iodine.listen(service: :http, address: '192.0.2.1', handler: APP)").first)
      .to match(/\ARuntimeError: .*192\.0\.2\.1/)
  end

  it 'listens for bytes where no service and no scheme say otherwise' do
    expect(addresses('Iodine.listen(address: "127.0.0.1", port: 0, handler: APP)')).to match([%r{\Atcp://127\.0\.0\.1:\d+\z}])
    expect(addresses('Iodine.listen(url: "tls://127.0.0.1:0", handler: APP)')).to match([%r{\Atls://127\.0\.0\.1:\d+\z}])
    expect(addresses('Iodine.listen(service: "tcp", url: "127.0.0.1", port: 0, handler: APP)')).to match([%r{\Atcp://}])
    expect(addresses('Iodine.listen(url: "tcp://127.0.0.1:0", tls: Iodine::TLS.new, handler: APP)')).to match([%r{\Atls://}])
  end

  it 'finds a free port for port 0, and names it' do
    expect(addresses('Iodine.listen(service: :http, address: "127.0.0.1", port: 0, handler: APP)'))
      .to match([%r{\Ahttp://127\.0\.0\.1:[1-9]\d+\z}])
  end

  it 'takes a URL' do
    port = Support::Server.free_port
    expect(addresses("Iodine.listen(url: 'http://127.0.0.1:#{port}', handler: APP)")).to eq(["http://127.0.0.1:#{port}"])
    expect(addresses("Iodine.listen(url: 'HTTP://[::1]:#{port}/path', handler: APP)")).to eq(["http://[::1]:#{port}"])
    expect(addresses("Iodine.listen(url: 'ws://127.0.0.1:#{port}', handler: APP)")).to eq(["http://127.0.0.1:#{port}"])
  end

  it 'takes the port of a URL without one from the defaults, as a String too' do
    port = Support::Server.free_port
    code = "Iodine::DEFAULT_SETTINGS[:port] = '#{port}'; Iodine.listen(url: 'http://127.0.0.1', handler: APP)"
    expect(addresses(code)).to eq(["http://127.0.0.1:#{port}"])
  end

  it 'listens on both loopbacks for localhost' do
    port = Support::Server.free_port
    expect(addresses("Iodine.listen(url: 'http://localhost:#{port}', handler: APP)"))
      .to eq(["http://127.0.0.1:#{port}", "http://[::1]:#{port}"])
  end

  it 'listens everywhere without an address, on IPv4 and IPv6' do
    server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      Iodine.listen(service: :http) { [200, {}, ['ok']] }
      Iodine.start
    RUBY
    %w[127.0.0.1 [::1]].each { |host| expect(curl("http://#{host}:#{server.port}/")).to eq('ok') }
  end

  it 'serves several applications at once' do
    other = Support::Server.free_port
    server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['one']] }
      Iodine.listen(service: :http, address: '127.0.0.1', port: #{other}) { [200, {}, ['two']] }
      Iodine.start
    RUBY
    expect([server.port, other].map { |port| curl("http://127.0.0.1:#{port}/") }).to eq(%w[one two])
  end

  it 'takes its limits from the call, else from the defaults' do
    server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      Iodine::DEFAULT_SETTINGS[:max_headers] = 1
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
      Iodine.start
    RUBY
    expect(server.get('/', 'x' => 'y' * 500).status).to eq(200)
    expect(server.get('/', 'x' => 'y' * 2000).status).to eq(431)
  end

  it 'belongs to the process after the start' do
    late = Support::Server.free_port
    server = boot_script(<<~RUBY)
      Iodine.threads = Iodine.workers = 1
      Iodine.listen(service: :http, address: '127.0.0.1') do
        Iodine.listen(service: :http, address: '127.0.0.1', port: #{late}) { [200, {}, ['late']] }
        [200, {}, ['ok']]
      end
      Iodine.start
    RUBY
    expect(server.get.body).to eq('ok')
    expect(curl("http://127.0.0.1:#{late}/")).to eq('late')
    expect(server.stderr).to include("listening on http://127.0.0.1:#{late}")
  end

  describe 'on a Unix socket' do
    let(:path) { File.join(work_dir, 'app.sock') }

    def serve(arguments)
      boot_script(<<~RUBY)
        Iodine.threads = Iodine.workers = 1
        Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
        Iodine.listen(service: :http, #{arguments}) { [200, {}, ['unix']] }
        Iodine.start
      RUBY
    end

    it 'answers there, and removes the file at the end' do
      server = serve("url: 'unix://#{path}'")
      expect(curl('--unix-socket', path, 'http://x/')).to eq('unix')
      expect(File.stat(path).mode & 0o777).to eq(0o660)
      expect(server.stderr).to include("listening on unix://#{path}")
      server.kill
      server.wait
      expect(File.exist?(path)).to be(false)
    end

    it 'takes a path as address, and a mode' do
      serve("address: #{path.inspect}, port: 0, mode: 0o600")
      expect(curl('--unix-socket', path, 'http://x/')).to eq('unix')
      expect(File.stat(path).mode & 0o777).to eq(0o600)
    end

    it 'replaces a stale file' do
      UNIXServer.new(path).close
      serve("url: 'unix://#{path}'")
      expect(curl('--unix-socket', path, 'http://x/')).to eq('unix')
    end

    it 'leaves a live one alone' do
      UNIXServer.open(path) do
        expect(outcomes("Iodine.listen(service: :http, url: 'unix://#{path}', handler: APP)").first)
          .to match(/\ARuntimeError: .*#{Regexp.escape(path)}/)
      end
    end

    it 'leaves a file alone that somebody else put there' do
      server = serve("url: 'unix://#{path}'")
      File.unlink(path)
      File.write(path, 'mine')
      server.kill
      server.wait
      expect(File.read(path)).to eq('mine')
    end
  end

  it 'knows the old name listen2http' do
    _, err, = run_ruby('Iodine.listen2http(port: 0) {}')
    expect(err).to match(/\AWARNING: listen2http.*\n\z/)
  end

  it "knows 0.2's folder of static files" do
    expect(outcomes('Iodine::Rack.public = "nowhere"', 'Iodine::Rack.public',
                    'Iodine.listen(service: :http, handler: APP)').last)
      .to match(/ArgumentError: public: there is no folder .*nowhere/)
  end
end
