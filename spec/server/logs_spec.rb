# frozen_string_literal: true

require 'json'

# Where the logs go, and what becomes of them when they can't.
RSpec.describe 'Logs' do
  app = <<~'RUBY'
    require 'fiddle'
    run(lambda do |env|
      Fiddle::Function.new(Fiddle.dlopen(nil)['sleep'], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true).call(4) if env['PATH_INFO'] == '/spin'
      [200, { 'content-type' => 'text/plain' }, [env['HTTP_X_REQUEST_ID'].to_s]]
    end)
  RUBY

  def entries(path)
    File.exist?(path) ? File.readlines(path, encoding: 'UTF-8').map { |line| JSON.parse(line) } : []
  end

  def wait_for_entry(path, requested)
    eventually(within: 20) { entries(path).find { |entry| entry['path'] == requested } }
  end

  # All processes have done it.
  def reopen(times)
    @server.kill(:HUP)
    eventually(within: 20) { @server.stderr.scan(/^INFO: opened the log file .* again$/).size == times }
  end

  it 'have an object for each request in a file that all processes share, and open it again at HUP' do
    file = File.join(work_dir, 'access.log')
    @server = boot(app, '-w', '2', '-t', '2', '--log-format', 'json', '--log-file', file)
    made = @server.get('/made?secret=1').body
    expect(wait_for_entry(file, '/made')).to include(
      'method' => 'GET', 'protocol' => 'HTTP/1.1', 'status' => 200, 'bytes' => 32, 'id' => made, 'remote' => '127.0.0.1',
      'duration' => be_a(Float), 'queue' => be_a(Float), 'app' => be_a(Float), 'time' => /\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/
    )
    expect(made).to match(/\A\h{32}\z/)
    expect(@server.get('/given', 'X-Request-Id' => 'a-1').body).to eq('a-1')
    expect(wait_for_entry(file, '/given')['id']).to eq('a-1')
    expect(@server.get('/odd', 'X-Request-Id' => 'a "b"').body).to eq('a "b"')
    expect(wait_for_entry(file, '/odd')['id']).to match(/\A\h{32}\z/)
    dial.ask("GET /\xC3\xA9\"\\\xFF HTTP/1.1\r\nHost: spec\r\n\r\n".b)
    expect(wait_for_entry(file, '/\\xc3\\xa9"\\\\xff')).to be_truthy
    File.rename(file, "#{file}.1")
    reopen(3)
    40.times { |n| @server.get("/after#{n}") }
    40.times { |n| wait_for_entry(file, "/after#{n}") }
    expect(entries(file).map { |entry| entry['pid'] }.uniq).to match_array(@server.children)
    expect(entries("#{file}.1").map { |entry| entry['path'] }.grep(/after/)).to eq([])
    expect(@server.stderr).not_to include('/after')
  end

  it 'are lines of text else, and HUP without a file kills nobody' do
    @server = boot(app, '-w', '1', '-v', '-V', '5')
    @server.kill(:HUP)
    @server.wait_for('DEBUG: HUP: there is no log file to open again')
    expect(@server.get('/here').status).to eq(200)
    @server.wait_for(%r{"GET /here HTTP/1\.1" 200 0b \d+\.\dms$})
  end

  it 'lose lines, no requests, on a full disk, and say so when there is room again' do
    file = File.join(work_dir, 'access.log')
    metrics = Support::Server.free_port
    File.symlink('/dev/full', file)
    @server = boot(app, '-w', '1', '--log-file', file, '--metrics', metrics.to_s)
    5.times { |n| expect(@server.get("/full#{n}").status).to eq(200) }
    lost = -> { JSON.parse(Support::RawClient.tcp(metrics).get('/stats').body)['log_lines_lost'] }
    eventually { lost.call == 5 }
    File.unlink(file)
    reopen(1)
    @server.get('/room')
    eventually { File.read(file).include?('GET /room') }
    @server.wait_for(/^WARNING: 5 lines of the access log were lost: No space left on device$/)
    expect(File.read(file)).not_to include('/full')
  end

  it 'lose lines, no requests, when nobody reads the pipe any more' do
    port = Support::Server.free_port
    file = write_file(work_dir, 'config.ru', app)
    command = [*ruby, File.join(ROOT, 'exe', 'iodine'), '-p', port.to_s, '-b', '127.0.0.1', '-w', '2', '-v', file]
    @server = launch(['bash', '-c', 'exec "$@" 2> >(head -n 1 >/dev/null)', 'bash', *command], port: port)
    20.times { |n| expect(@server.get("/closed#{n}").status).to eq(200) }
    expect(@server.exited?).to be(false)
    @server.kill
    expect(@server.wait).to be_success
  end

  it 'name the file that can not be opened, and a format that is none' do
    file = write_file(work_dir, 'config.ru', app)
    _, stderr, status = run_cli('--log-file', '/nowhere/access.log', '-p', '0', file)
    expect(stderr).to eq("FATAL: can't open the log file /nowhere/access.log: No such file or directory: name another one with --log-file\n")
    expect(status.exitstatus).to eq(1)
    _, stderr, status = run_cli('--log-format', 'xml', file)
    expect([stderr, status.exitstatus]).to eq(["iodine: --log-format is \"xml\": use clf or json\n", 64])
  end

  describe 'with Iodine.logger' do
    it 'go to it with their severity, of all processes, and to stderr while Ruby is busy' do
      own = File.join(work_dir, 'own.log')
      @server = boot("require 'logger'\nIodine.logger = Logger.new(#{own.inspect})\n#{app}", '-w', '2', '-t', '1', '-V', '5')
      eventually { File.read(own).match?(/INFO -- : listening on/) }
      dial.ask("BAD\r\n\r\n")
      eventually { File.read(own).match?(/#(?:#{@server.children.join('|')})\] DEBUG -- : refused a request of 127.0.0.1 with 400/) }
      expect(@server.stderr).to eq('')
      eventually(within: 20) do
        dial.write("GET /spin HTTP/1.1\r\nHost: spec\r\n\r\n") # until both are at it
        dial.ask("BAD\r\n\r\n")
        @server.stderr.include?('DEBUG: refused a request of 127.0.0.1 with 400')
      end
    end

    it 'can be set and read, and taken back' do
      script = <<~'RUBY'
        lines = []
        logger = Object.new
        logger.define_singleton_method(:add) { |severity, line| severity == 1 ? lines << line : raise('broken') }
        Iodine.logger = logger
        raise unless Iodine.logger.equal?(logger)
        begin
          Iodine.logger = 5
        rescue TypeError => e
          puts e.message
        end
        Iodine::Server.log(4, 'from C')
        Iodine::Server.log(2, 'which the logger fails for')
        sleep 0.01 until lines.any?
        Iodine.logger = nil
        Iodine::Server.log(4, 'later')
        puts lines, Iodine.logger.inspect
      RUBY
      out, err = run_ruby(script)
      expect(out).to eq("logger must be a Logger, or have its method add, not Integer\nfrom C\nnil\n")
      expect(err).to eq("ERROR: which the logger fails for\nINFO: later\n")
    end
  end
end
