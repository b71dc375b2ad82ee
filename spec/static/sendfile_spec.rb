# frozen_string_literal: true

require_relative '../support/folders'

# Files that the application sends: X-Sendfile, and bodies with to_path.
RSpec.describe 'X-Sendfile' do
  # The path comes from a header, so that every example can ask for another one.
  app = <<~'RUBY'
    class Body
      def initialize(path) = @path = path
      def to_path = @path
      def each = yield(File.binread(@path))
    end
    run(lambda do |env|
      path = env['HTTP_X_FILE']
      more = env.select { |key, _| key.start_with?('HTTP_X_SET_') }.to_h { |key, value| [key[11..].downcase.tr('_', '-'), value] }
      status = (env['HTTP_X_STATUS'] || 200).to_i
      case env['PATH_INFO']
      when '/named' then [status, { 'X-SendFile' => path, 'content-length' => '3' }.merge(more), ['abc']]
      when '/body' then [status, more, Body.new(path)]
      else [200, { 'content-type' => 'text/plain' }, [env.key?('sendfile.type').inspect]]
      end
    end)
  RUBY
  content = Random.new(3).bytes(50_000)

  before(:context) do
    @root = work_dir
    Folders.fill(@root, 'app/public/a.txt' => 'public', 'app/storage/b.pdf' => content, 'app/.hidden/c.txt' => 'hidden',
                        'more/d.txt' => '0123456789', 'secret.txt' => 'secret')
    File.symlink(File.join(@root, 'secret.txt'), File.join(@root, 'app/link.txt'))
    file = write_file(@root, 'app/config.ru', app)
    @server = boot_cli('-w', '1', '-t', '2', '-www', "#{@root}/app/public", '--sendfile-root', "#{@root}/more", file, dir: @root)
  end

  def get(path, file, headers = {}, method: 'GET')
    dial { |client| client.request(method, path, { 'x-file' => File.join(@root, file) }.merge(headers)) }
  end

  it 'sends a file of the public folder, of the application and of --sendfile-root, with its length and type' do
    files = { 'app/public/a.txt' => 'public', 'app/storage/b.pdf' => content, 'app/.hidden/c.txt' => 'hidden', 'more/d.txt' => '0123456789' }
    files.each do |file, body|
      answer = get('/named', file)
      expect([answer.status, answer.body, answer['content-length']]).to eq([200, body, body.bytesize.to_s])
      expect(answer['x-sendfile']).to be_nil
    end
    expect(get('/named', 'app/storage/b.pdf')['content-type']).to eq('application/pdf')
  end

  it 'keeps what the application says of the file, but for its validators' do
    answer = get('/named', 'more/d.txt', { 'x-set-content-type' => 'text/x-own', 'x-set-etag' => '"own"', 'x-set-cache-control' => 'private',
                                           'x-set-content-disposition' => 'attachment', 'x-set-date' => 'Mon, 01 Jan 2024 00:00:00 GMT' })
    expect(answer.headers.slice('content-type', 'cache-control', 'content-disposition', 'date'))
      .to eq('content-type' => 'text/x-own', 'cache-control' => 'private', 'content-disposition' => 'attachment',
             'date' => 'Mon, 01 Jan 2024 00:00:00 GMT')
    expect(answer['etag']).to match(/\A"\h+-a"\z/)
  end

  it 'obeys ranges and conditions' do
    part = get('/named', 'more/d.txt', { 'range' => 'bytes=2-4' })
    expect([part.status, part.body, part['content-range']]).to eq([206, '234', 'bytes 2-4/10'])
    tag = get('/named', 'more/d.txt')['etag']
    expect(get('/named', 'more/d.txt', { 'if-none-match' => tag }).status).to eq(304)
    expect(get('/named', 'app/storage/b.pdf', { 'range' => 'bytes=0-9,40000-40009' }).body).to include(content[40_000, 10])
    expect(get('/named', 'more/d.txt', { 'range' => 'bytes=90-' }).status).to eq(416)
  end

  it 'answers HEAD with the head alone, and POST without conditions' do
    head = get('/named', 'more/d.txt', method: 'HEAD')
    expect([head.status, head['content-length']]).to eq([200, '10'])
    post = get('/named', 'more/d.txt', { 'if-none-match' => '*', 'range' => 'bytes=0-1' }, method: 'POST')
    expect([post.status, post.body]).to eq([200, '0123456789'])
  end

  it 'keeps a status that is not 200, with the whole file' do
    answer = get('/named', 'more/d.txt', { 'x-status' => '404', 'range' => 'bytes=0-1' })
    expect([answer.status, answer.body]).to eq([404, '0123456789'])
    expect(get('/named', 'more/d.txt', { 'x-status' => '204' }).status).to eq(204)
  end

  it 'answers a file of another folder with 500, and a line that names the option' do
    ['secret.txt', 'app/../secret.txt', 'more/../secret.txt', 'moreover/x', 'app2/x'].each do |file|
      expect(get('/named', file).status).to eq(500), file
    end
    expect(dial { |c| c.get('/named', { 'x-file' => '/etc/passwd' }) }.status).to eq(500)
    @server.wait_for(%r{ERROR: GET /named: X-Sendfile: /etc/passwd is in no folder .*sendfile_root \(--sendfile-root\)})
  end

  it 'answers a file that is not there with 404' do
    %w[more/nothing.txt more].each { |file| expect(get('/named', file).status).to eq(file == 'more' ? 500 : 404) }
    expect(get('/named', 'app/storage').status).to eq(404)
  end

  it 'follows links, but for --no-symlinks' do
    expect(get('/named', 'app/link.txt').body).to eq('secret')
    server = boot_cli('-w', '1', '-www', "#{@root}/app/public", '--no-symlinks', "#{@root}/app/config.ru", dir: @root)
    expect(dial(server) { |c| c.get('/named', { 'x-file' => "#{@root}/app/link.txt" }) }.status).to eq(500)
  end

  it 'is a header like others without a public folder' do
    server = boot_cli('-w', '1', "#{@root}/app/config.ru", dir: @root)
    answer = dial(server) { |c| c.get('/named', { 'x-file' => '/etc/passwd' }) }
    expect([answer.body, answer['x-sendfile']]).to eq(['abc', '/etc/passwd'])
  end

  it 'is not announced to the application' do
    expect(get('/', '').body).to eq('false')
  end

  it 'works with Rack::Sendfile, whose header it may be' do
    file = write_file(@root, 'app/middleware.ru', <<~RUBY)
      require 'rack/sendfile'
      use Rack::Sendfile, 'X-Sendfile'
      #{app}
    RUBY
    server = boot_cli('-w', '1', '-www', "#{@root}/app/public", file, dir: @root)
    answer = dial(server) { |c| c.get('/body', { 'x-file' => "#{@root}/app/storage/b.pdf", 'range' => 'bytes=1-3' }) }
    expect([answer.status, answer.body]).to eq([206, content[1..3]])
    steered = { 'x-file' => "#{@root}/app/storage/b.pdf", 'x-sendfile-type' => 'X-Accel-Redirect', 'x-accel-mapping' => "#{@root}=/x" }
    expect(dial(server) { |c| c.get('/body', steered) }.body).to eq(content)
  end

  describe 'a body with to_path' do
    it 'is a file from anywhere, with ranges and conditions' do
      whole = get('/body', 'secret.txt')
      expect([whole.status, whole.body, whole['accept-ranges']]).to eq([200, 'secret', 'bytes'])
      expect(get('/body', 'secret.txt', { 'range' => 'bytes=0-2' }).body).to eq('sec')
      expect(get('/body', 'secret.txt', { 'if-none-match' => whole['etag'] }).status).to eq(304)
      expect(get('/body', 'secret.txt', method: 'HEAD').headers.except('date')).to eq(whole.headers.except('date'))
    end

    it 'is left to an application that speaks of validators itself' do
      answer = get('/body', 'secret.txt', { 'x-set-etag' => '"own"', 'range' => 'bytes=0-2' })
      expect([answer.status, answer.body, answer['etag'], answer['accept-ranges']]).to eq([200, 'secret', '"own"', nil])
    end
  end
end
