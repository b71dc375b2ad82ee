# frozen_string_literal: true

require_relative '../support/folders'

# The files of -www: what is served, what is left to the application, and what never leaves the folder.
RSpec.describe 'Static files' do
  app = <<~'RUBY'
    run(lambda do |env|
      told = [env['REQUEST_METHOD'], env['PATH_INFO'], env['HTTP_X_SENDFILE_TYPE'], env['HTTP_X_ACCEL_MAPPING']]
      [200, { 'content-type' => 'text/plain' }, ["app: #{told.compact.join(' ')}"]]
    end)
  RUBY
  large = Random.new(1).bytes(300_000)
  files = {
    'index.html' => '<h1>index</h1>', 'a.txt' => 'some text', 'empty.txt' => '', 'large.bin' => large,
    'docs/index.html' => 'docs', 'docs/b c.txt' => 'spaced', 'bare/x.txt' => 'x', '%41.txt' => 'percent',
    '.env' => 'secret', '.git/config' => 'secret', 'docs/.hidden' => 'secret', '.well-known/acme/token' => 'token',
    'docs/.well-known/x' => 'secret', 'assets/app-0a1b2c3d.js' => 'js', 'assets/app.js' => 'js', '404.html' => 'lost',
    'ü.txt' => 'umlaut', 'page.HTML' => 'page'
  }

  before(:context) do
    @folder = Folders.fill(File.join(work_dir, 'public'), files)
    File.write(File.join(File.dirname(@folder), 'outside.txt'), 'outside')
    @server = boot(app, '-w', '1', '-t', '2', '-www', @folder)
  end

  def get(path, headers = {}, method: 'GET')
    dial { |client| client.request(method, path, headers) }
  end

  describe 'a file' do
    it 'comes with all that a client wants to know of it' do
      answer = get('/a.txt')
      expect([answer.status, answer.body]).to eq([200, 'some text'])
      expect(answer['content-type']).to eq('text/plain; charset=utf-8')
      expect(answer['content-length']).to eq('9')
      expect(answer['last-modified']).to eq('Tue, 02 Jan 2024 03:04:05 GMT')
      expect(answer['etag']).to match(/\A"\h+-9"\z/)
      expect(answer['accept-ranges']).to eq('bytes')
      expect(answer['cache-control']).to eq('max-age=3600')
      expect(answer['date']).to match(/\A\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\z/)
      expect(answer['vary']).to be_nil
    end

    it 'is whole, however large, also to HTTP/1.0' do
      expect(get('/large.bin').body).to eq(large)
      expect(curl('--http1.0', "http://127.0.0.1:#{@server.port}/large.bin")).to eq(large)
    end

    it 'may be empty' do
      answer = get('/empty.txt')
      expect([answer.status, answer['content-length'], answer.body]).to eq([200, '0', ''])
    end

    it 'has its head alone for HEAD' do
      %w[/a.txt /large.bin].each do |path|
        head = get(path, method: 'HEAD')
        whole = get(path)
        expect(head.headers.except('date')).to eq(whole.headers.except('date'))
      end
    end

    it 'is found whatever the query, and as its name is encoded' do
      { '/a.txt?x=1' => 'some text', '/docs/b%20c.txt' => 'spaced', '/%61.txt' => 'some text', '//a.txt' => 'some text',
        '/%2541.txt' => 'percent', '/%C3%BC.txt' => 'umlaut', 'http://any.host/a.txt' => 'some text' }.each do |target, body|
        expect(dial { |c| c.ask("GET #{target} HTTP/1.1\r\nHost: x\r\n\r\n") }.body).to eq(body), target
      end
    end

    it 'is kept by clients as long as its name allows' do
      kept = %w[/index.html /page.HTML /assets/app-0a1b2c3d.js /assets/app.js /a.txt].map { |path| get(path)['cache-control'] }
      expect(kept).to eq(['no-cache', 'no-cache', 'public, max-age=31536000, immutable', 'max-age=3600', 'max-age=3600'])
    end
  end

  describe 'a folder' do
    it 'is its index' do
      expect([get('/').body, get('/docs/').body, get('/docs/')['content-type']])
        .to eq(['<h1>index</h1>', 'docs', 'text/html; charset=utf-8'])
    end

    it 'without its slash is a redirect to this server' do
      { '/docs' => '/docs/', '/docs?a=b' => '/docs/?a=b', '//docs' => '/docs/', '/%64ocs' => '/docs/' }.each do |target, location|
        answer = get(target)
        expect([answer.status, answer['location']]).to eq([301, location]), target
      end
    end

    it 'without an index is the application\'s' do
      expect([get('/bare').body, get('/bare/').body]).to eq(['app: GET /bare', 'app: GET /bare/'])
    end
  end

  describe 'the application' do
    it 'gets what is no file, and every method but GET and HEAD' do
      expect(get('/nothing').body).to eq('app: GET /nothing')
      %w[POST PUT DELETE PATCH OPTIONS].each do |method|
        expect(get('/a.txt', method: method).body).to eq("app: #{method} /a.txt")
      end
    end

    it 'gets a GET with a body' do
      expect(dial { |client| client.request('GET', '/a.txt', body: 'x') }.body).to eq('app: GET /a.txt')
    end

    it 'gets WebSocket and event-stream requests, also where a file is' do
      upgrade = { 'connection' => 'upgrade', 'upgrade' => 'websocket', 'sec-websocket-version' => '13',
                  'sec-websocket-key' => 'dGhlIHNhbXBsZSBub25jZQ==' }
      expect(get('/', upgrade).body).to eq('app: GET /')
      expect(get('/', { 'accept' => 'text/event-stream' }).body).to eq('app: GET /')
      expect(get('/', { 'accept' => 'text/html, Text/Event-Stream;q=0.1' }).body).to eq('app: GET /')
      expect(get('/', { 'accept' => 'text/html, text/event-stream;q=0.0' }).body).to eq('<h1>index</h1>')
    end

    it 'does not get headers that steer the sending of files' do
      steering = { 'X-Sendfile-Type' => 'X-Accel-Redirect', 'x-accel-mapping' => '/=/etc/' }
      expect(get('/nothing', steering).body).to eq('app: GET /nothing')
    end
  end

  describe 'what is not in the folder' do
    [
      '/../outside.txt', '/docs/../../outside.txt', '/%2e%2e/outside.txt', '/.%2e/outside.txt', '/%2E%2E%2Foutside.txt',
      '/..%2foutside.txt', '/%252e%252e/outside.txt', '/..%252foutside.txt', '/..\\outside.txt', '/..%5coutside.txt',
      '/%5c..%5coutside.txt', '/a.txt%00.html', '/a.txt%00', '/%00', '/docs//../../outside.txt', '/./../outside.txt',
      '/....//outside.txt', '/%c0%ae%c0%ae/outside.txt', '/%ff%fe', '/%', '/%2', '/%zz', '/docs/..', '/..', '/.', '/docs/.',
      '/a.txt/', '/a.txt/index.html', '/docs%2fb c.txt'.sub(' ', '%20'), '/a.txt%0d%0aset-cookie:%20x', '/a%09.txt',
      "/#{'x' * 300}", "/#{'d/' * 2000}x", "/#{'%41' * 2000}"
    ].each do |target|
      it "is not served: #{target[0, 60]}" do
        answer = dial { |client| client.ask("GET #{target} HTTP/1.1\r\nHost: x\r\n\r\n") }
        expect(answer.body).to start_with('app: ')
      end
    end

    it 'is refused as a target without a leading slash' do
      %w[../outside.txt a.txt].each do |target|
        expect(dial { |client| client.ask("GET #{target} HTTP/1.1\r\nHost: x\r\n\r\n") }.status).to eq(400)
      end
    end
  end

  describe 'hidden files' do
    %w[/.env /.git/config /docs/.hidden /%2eenv /docs/.well-known/x].each do |target|
      it("are never served: #{target}") { expect(get(target).body).to eq("app: GET #{target}") }
    end

    it 'are served below /.well-known/, where certificates are proven' do
      expect(get('/.well-known/acme/token').body).to eq('token')
    end
  end

  it 'are regular files: a FIFO, a socket and a device are nothing' do
    File.mkfifo(File.join(@folder, 'fifo'))
    UNIXServer.new(File.join(@folder, 'socket')).close
    File.symlink('/dev/zero', File.join(@folder, 'zero'))
    %w[/fifo /socket /zero].each { |path| expect(get(path).body).to eq("app: GET #{path}") }
  end

  it 'answers pipelined requests for files and for the application in their order' do
    paths = Array.new(50) { |n| ['/a.txt', '/large.bin', "/app#{n}", '/docs/'][n % 4] }
    client = dial
    client.write(paths.map { |path| "GET #{path} HTTP/1.1\r\nHost: x\r\n\r\n" }.join)
    bodies = paths.map { client.receive.body }
    expected = paths.map { |path| { '/a.txt' => 'some text', '/large.bin' => large, '/docs/' => 'docs' }[path] || "app: GET #{path}" }
    expect(bodies).to eq(expected)
  end

  it 'obeys connection: close, and keeps an HTTP/1.0 client only if it asks' do
    expect(dial { |c| [c.get('/a.txt', { 'connection' => 'close' })['connection'], c.closed_by_peer?] }).to eq(['close', true])
    expect(dial { |c| [c.ask("GET /a.txt HTTP/1.0\r\n\r\n")['connection'], c.closed_by_peer?] }).to eq(['close', true])
    expect(dial { |c| c.ask("GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")['connection'] }).to eq('keep-alive')
  end

  it 'are logged like all answers' do
    server = boot(app, '-w', '1', '-t', '1', '-v', '-www', @folder)
    server.get('/a.txt?q')
    server.get('/docs')
    server.get('/a.txt', 'range' => 'bytes=0-3')
    server.wait_for('"GET /a.txt HTTP/1.1" 200 9b')
    server.wait_for('"GET /docs HTTP/1.1" 301')
    server.wait_for('"GET /a.txt HTTP/1.1" 206 4b')
  end

  it 'have the same ETag in all workers and after a restart' do
    tags = Array.new(2) do
      server = boot(app, '-w', '2', '-t', '1', '-www', @folder)
      Array.new(8) { server.get('/a.txt')['etag'] }
    end
    expect(tags.flatten.uniq).to eq([get('/a.txt')['etag']])
  end

  it 'go on while every application thread spins' do
    server = boot(<<~RUBY, '-w', '1', '-t', '2', '-www', @folder)
      run ->(_) { loop {} }
    RUBY
    3.times { dial(server).write("GET /spin HTTP/1.1\r\nHost: x\r\n\r\n") }
    expect(Array.new(20) { server.get('/a.txt').body }.uniq).to eq(['some text'])
  end
end
