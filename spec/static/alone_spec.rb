# frozen_string_literal: true

require_relative '../support/folders'

# Listeners without an application, error pages, and the options.
RSpec.describe 'Files without an application' do
  before(:context) do
    @folder = Folders.fill(work_dir, 'a.txt' => 'text', 'index.html' => 'index', '404.html' => '<h1>lost</h1>')
    @server = boot_cli('-w', '1', '-t', '1', '-www', @folder, dir: @folder)
  end

  def get(path, headers = {}, method: 'GET')
    dial { |client| client.request(method, path, headers) }
  end

  it 'are served by -www alone' do
    expect([get('/').body, get('/a.txt').body]).to eq(%w[index text])
  end

  it 'have a page for what is not there' do
    answer = get('/nowhere')
    expect([answer.status, answer.body, answer['content-type']]).to eq([404, '<h1>lost</h1>', 'text/html; charset=utf-8'])
    expect(answer['etag']).to be_nil
    expect(get('/nowhere', { 'range' => 'bytes=0-1', 'if-none-match' => '*' }).status).to eq(404)
    expect(get('/nowhere', method: 'HEAD')['content-length']).to eq('13')
    expect(get('/../x').status).to eq(404)
  end

  it 'have a plain line where there is no page' do
    folder = Folders.fill(work_dir, 'a.txt' => 'text')
    answer = boot_cli('-w', '1', '-t', '1', '-www', folder, dir: folder).get('/nowhere')
    expect([answer.status, answer.body]).to eq([404, "Not Found\n"])
  end

  it 'answer other methods with 405, OPTIONS with what there is' do
    %w[POST PUT DELETE PATCH SEARCH].each do |method|
      answer = get('/a.txt', method: method)
      expect([answer.status, answer['allow']]).to eq([405, 'GET, HEAD, OPTIONS']), method
    end
    expect([get('/a.txt', method: 'OPTIONS').status, get('/a.txt', method: 'OPTIONS')['allow']]).to eq([204, 'GET, HEAD, OPTIONS'])
    expect(dial { |client| client.request('POST', '/', body: 'x' * 100_000) }.status).to eq(405)
  end

  it 'answer a WebSocket request as if it were none' do
    expect(get('/', { 'connection' => 'upgrade', 'upgrade' => 'websocket' }).body).to eq('index')
  end

  it 'are what a listener without handler serves' do
    server = boot_script(<<~RUBY)
      Iodine.workers = 1
      Iodine.threads = 1
      fail unless Iodine.listen(service: :http, address: '127.0.0.1', public: #{@folder.inspect}, max_age: 0).nil?
      Iodine.start
    RUBY
    answer = server.get('/a.txt')
    expect([answer.body, answer['cache-control']]).to eq(%w[text no-cache])
  end

  it "are set for later listeners by DEFAULT_SETTINGS, or by 0.2's Iodine::Rack.public=" do
    ["Iodine::DEFAULT_SETTINGS[:public] = #{@folder.inspect}", "Iodine::Rack.public = #{@folder.inspect}"].each do |line|
      server = boot_script(<<~RUBY)
        #{line}
        Iodine.workers = 1
        Iodine.threads = 1
        Iodine.listen(service: :http, address: '127.0.0.1') { |_| [200, { 'content-type' => 'text/plain' }, ['app']] }
        Iodine.start
      RUBY
      expect([server.get('/a.txt').body, server.get('/b').body]).to eq(%w[text app])
    end
  end

  it 'may be in the home folder' do
    Folders.fill(@folder, 'home/page.txt' => 'at home')
    server = boot_cli('-w', '1', '-www', '~/home', '--max-age', '60', env: { 'HOME' => @folder }, dir: work_dir)
    answer = server.get('/page.txt')
    expect([answer.body, answer['cache-control']]).to eq(['at home', 'max-age=60'])
  end

  it 'are refused by one line when there is no such folder' do
    _, err, status = run_cli('-www', 'nowhere', '-p', '0')
    expect([err, status.exitstatus]).to match([%r{\Aiodine: -www: there is no folder /.*/nowhere: .*\n\z}, 64])
  end

  describe 'the page of an application that failed' do
    failing = "run ->(env) { env['PATH_INFO'] == '/part' ? [200, {}, Enumerator.new { |y| y << 'x'; raise 'late' }] : raise('early') }"

    it 'is 500.html' do
      Folders.fill(@folder, '500.html' => '<h1>sorry</h1>')
      server = boot(failing, '-w', '1', '-www', @folder, lint: false)
      answer = server.get('/fail')
      expect([answer.status, answer.body, answer['content-type']]).to eq([500, '<h1>sorry</h1>', 'text/html; charset=utf-8'])
      head = dial(server) { |client| client.request('HEAD', '/fail') }
      expect([head.status, head['content-length']]).to eq([500, '14'])
      post = dial(server) { |client| client.request('POST', '/fail', body: 'x') }
      expect([post.status, post.body]).to eq([500, '<h1>sorry</h1>'])
      expect { dial(server).get('/part') }.to raise_error(Support::RawClient::Closed)
    end

    it 'is a plain line where there is none, and the connection goes on' do
      server = boot(failing, '-w', '1', '-www', Folders.fill(work_dir, 'a.txt' => 'text'), lint: false)
      client = dial(server)
      expect([client.get('/fail').body, client.get('/a.txt').body]).to eq(["Internal Server Error\n", 'text'])
    end
  end
end
