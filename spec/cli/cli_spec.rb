# frozen_string_literal: true

RSpec.describe 'the program iodine' do
  let(:echo) { write_file(work_dir, 'config.ru', <<~RUBY) }
    run ->(env) { [200, { 'content-type' => 'text/plain' }, ["\#{ENV['RACK_ENV']} \#{env['rack.url_scheme']}"]] }
  RUBY

  %w[-h -? -help --help].each do |name|
    it "prints its help with #{name}" do
      out, err, status = run_cli(name)
      expect([status.exitstatus, err]).to eq([0, ''])
      [/^  -p, -port PORT /, /^  -k, --keep-alive, -tout SECONDS /, /^  -\?, -h, -help /].each { |line| expect(out).to match(line) }
    end
  end

  it 'lists every option that it has' do
    require 'iodine/cli'
    out, = run_cli('-h')
    Iodine::CLI::OPTIONS.each { |option| expect(out).to include("  #{option.title}") }
  end

  it 'prints its version' do
    out, _, status = run_cli('--version')
    expect([out, status.exitstatus]).to eq(["iodine #{Iodine::VERSION}\n", 0])
  end

  it 'prints its help where there is nothing to serve' do
    out, _, status = run_cli('-p', '4000')
    expect([out[/^Usage/], status.exitstatus]).to eq(['Usage', 0])
  end

  it 'serves config.ru of its directory' do
    dir = work_dir
    write_file(dir, 'config.ru', Support::RubyRunner::HELLO)
    expect(boot_cli('-w', '1', '-t', '1', dir: dir).get.status).to eq(200)
  end

  [
    %w[-p many], %w[--colour], %w[-www nowhere], %w[-www config.ru], %w[--sendfile-root nowhere], %w[nowhere.ru],
    %w[README.md], %w[one.ru two.ru], %w[-C nowhere.rb config.ru], %w[-b gopher://:70 config.ru],
    %w(-b http://[::1 config.ru), %w[-b 127.0.0.1:80:90/x://y config.ru],
    %w[-b unix:// config.ru]
  ].each do |arguments|
    it "answers #{arguments.join(' ')} with one line and exit status 64" do
      dir = work_dir
      write_file(dir, 'config.ru', Support::RubyRunner::HELLO)
      out, err, status = run_cli(*arguments, dir: dir)
      expect([status.exitstatus, out, err.lines.size]).to eq([64, '', 1]), err
      expect(err).to match(/\Aiodine: .+\n\z/)
    end
  end

  it 'says in one line that an address is in use' do
    TCPServer.open('127.0.0.1', 0) do |taken|
      _, err, status = run_cli('-b', '127.0.0.1', '-p', taken.addr[1].to_s, '-w', '1', echo)
      expect(status.exitstatus).to eq(1)
      expect(err).to match(/\AFATAL: .*127\.0\.0\.1:#{taken.addr[1]}.*in use.*\n\z/)
    end
  end

  it 'shows where an application fails to load' do
    _, err, status = run_cli('-p', '0', '-w', '1', write_file(work_dir, 'broken.ru', "\nraise 'no luck'\n"))
    expect(status.exitstatus).to eq(1)
    expect(err).to match(/\AERROR: the application failed: no luck \(RuntimeError\)\n\t.*broken\.ru:2/)
  end

  it 'says what to do without rack' do
    _, err, status = run_cli('-p', '0', '-w', '1', echo,
                             env: { 'RUBYOPT' => "-r#{write_file(work_dir, 'norack.rb', <<~RUBY)}" })
                               module NoRack
                                 def require(name)
                                   name == 'rack' ? raise(LoadError.new("cannot load such file -- rack").tap { |e| e.define_singleton_method(:path) { 'rack' } }) : super
                                 end
                               end
                               Object.prepend(NoRack)
                             RUBY
    expect(status.exitstatus).to eq(1)
    expect(err).to match(/\AFATAL: .*needs the rack gem.*gem install rack\n\z/)
  end

  it 'sets RACK_ENV with -e' do
    expect(boot_cli('-w', '1', '-t', '1', '-e', 'production', echo).get.body).to eq('production http')
  end

  it 'leaves RACK_ENV alone without' do
    expect(boot_cli('-w', '1', '-t', '1', echo).get.body).to eq('test http')
  end

  it 'listens in several places, a URL or a path among them' do
    path = File.join(work_dir, 'app.sock')
    other = Support::Server.free_port
    server = boot_hello('-b', '127.0.0.1', '-b', "http://127.0.0.1:#{other}", '-b', "unix://#{path}", '-w', '1', '-t',
                        '1')
    expect(server.get.status).to eq(200)
    expect(curl("http://127.0.0.1:#{other}/x")).to end_with(' /x')
    expect(curl('--unix-socket', path, 'http://x/y')).to end_with(' /y')
  end

  it 'reads ADDRESS and PORT' do
    port = Support::Server.free_port
    env = { 'PORT' => port.to_s, 'ADDRESS' => '127.0.0.1' }
    server = launch([*ruby, File.join(ROOT, 'exe', 'iodine'), '-w', '1', echo], port: port, env: env)
    server.wait_for("listening on http://127.0.0.1:#{port}\n")
  end

  it 'logs requests with -v only' do
    [[], ['-v']].each do |arguments|
      server = boot_hello('-w', '1', '-t', '1', *arguments)
      server.get('/path')
      server.kill
      server.wait
      expect("#{server.stdout}#{server.stderr}".include?('"GET /path HTTP/1.1" 200')).to eq(arguments.any?)
    end
  end

  it 'is silent with -V 1' do
    server = boot_hello('-w', '1', '-t', '1', '-V', '1')
    server.get
    server.kill
    server.wait
    expect(server.stderr).to eq('')
  end

  describe 'with a script' do
    it 'runs it, and starts' do
      port = Support::Server.free_port
      script = write_file(work_dir, 'app.rb',
                          "Iodine.listen(service: :http) { [200, {}, [\"\#{Iodine.threads} \#{Iodine.workers}\"]] }\n")
      server = launch(
        [*ruby, File.join(ROOT, 'exe', 'iodine'), '-b', '127.0.0.1', '-p', port.to_s, '-t', '2', '-w', '1',
         script], port: port
      )
      expect(server.get.body).to eq('2 1')
    end

    it 'does not start again what the script has started and stopped' do
      script = write_file(work_dir, 'app.rb', "Iodine.run { Iodine.stop }\nIodine.start\nputs 'once'\n")
      out, _, status = run_cli('-w', '1', '-t', '1', script)
      expect([out, status.exitstatus]).to eq(["once\n", 0])
    end
  end

  describe 'with -C' do
    def serve(config, app, *arguments, env: {})
      boot(app, '-C', write_file(work_dir, 'config.rb', config), *arguments, lint: false, env: env)
    end

    let(:app) { "run ->(_env) { [200, {}, [[Iodine.threads, Iodine.workers, Iodine::DEFAULT_SETTINGS[:timeout]].inspect]] }\n" }

    it 'runs the file first, with the API and the old names on main' do
      server = serve("Iodine.threads = 3; Iodine.workers = 2; on_worker_boot { warn 'booted' }", app)
      expect(server.get.body).to eq('[3, 2, 40]')
      eventually { server.stderr.scan('booted').size == 2 }
      expect(server.stderr).to match(/WARNING: on_worker_boot/)
    end

    it 'has less to say than the environment, that less than an option, and that less than the application' do
      config = 'Iodine.threads = 9; Iodine.workers = 1; Iodine::DEFAULT_SETTINGS[:timeout] = 9'
      expect(serve(config, app).get.body).to eq('[9, 1, 9]')
      expect(serve(config, app, env: { 'THREADS' => '8' }).get.body).to eq('[8, 1, 9]')
      expect(serve(config, app, '-t', '7', '-k', '7', env: { 'THREADS' => '8' }).get.body).to eq('[7, 1, 7]')
      expect(serve(config, "Iodine.threads = 6\n#{app}", '-t', '7').get.body).to eq('[6, 1, 9]')
    end

    it 'lets the application ask whether anything was set' do
      guarded = "Iodine.threads = 6 if Iodine.threads.zero?\nIodine.workers = 1\n#{app}"
      expect(boot(guarded, lint: false).get.body).to eq('[6, 1, 40]')
      expect(boot(guarded, '-t', '2', lint: false).get.body).to eq('[2, 1, 40]')
    end

    it 'names the line that fails' do
      config = write_file(work_dir, 'config.rb', "\nraise 'no luck'\n")
      _, err, status = run_cli('-p', '0', '-C', config, echo)
      expect(status.exitstatus).to eq(1)
      expect(err).to match(/no luck.*\n\t#{Regexp.escape(config)}:2/)
    end
  end

  describe 'with --no-preload' do
    it 'loads the application in each worker' do
      server = boot("LOADED = Process.pid\nrun ->(_env) { [200, {}, [[LOADED, Process.pid].inspect]] }\n", '-w', '2',
                    '-t', '1', '--no-preload', lint: false)
      loaded, pid = server.get.body.scan(/\d+/).map(&:to_i)
      expect(loaded).to eq(pid)
      expect(server.children).to include(pid)
    end

    it 'loads it in the root without' do
      server = boot("LOADED = Process.pid\nrun ->(_env) { [200, {}, [LOADED.to_s]] }\n", '-w', '2', '-t', '1',
                    lint: false)
      expect(answering_pid(server)).to eq(server.pid)
    end

    it 'works with one process' do
      expect(boot_hello('-w', '1', '-t', '1', '--no-preload').get.status).to eq(200)
    end

    it 'warns once of what comes too late' do
      server = boot(<<~RUBY, '-w', '2', '-t', '1', '--no-preload', lint: false)
        Iodine.workers = 3
        Iodine.on_state(:pre_start) {}
        Iodine.listen(service: :http, port: 1) {}
        run ->(_env) { [200, {}, ['ok']] }
      RUBY
      expect(server.get.body).to eq('ok')
      eventually { server.stderr.scan(/WARNING: Iodine\.workers= is too late.*-C/).size == 2 }
      expect(server.stderr.scan('too late').size).to eq(2)
    end
  end

  it 'warms each worker up with -warmup' do
    journal = write_file(work_dir, 'journal', '')
    dir = work_dir
    write_file(dir, 'lazy.rb', "module Lazy; File.write(#{journal.inspect}, \"loaded\\n\", mode: 'a'); end")
    server = boot(<<~RUBY, '-w', '2', '-t', '1', '-warmup', lint: false)
      module Outer; end
      Outer.autoload(:Lazy, #{File.join(dir, 'lazy.rb').inspect})
      Outer.autoload(:Broken, #{File.join(dir, 'none.rb').inspect})
      run(lambda do |env|
        File.write(#{journal.inspect}, "\#{env['REQUEST_METHOD']} \#{env['PATH_INFO']}\\n", mode: 'a')
        [200, {}, ['ok']]
      end)
    RUBY
    eventually { File.readlines(journal, chomp: true).tally == { 'loaded' => 2, 'GET /' => 2 } }
    expect(server.stderr).not_to match(/ERROR/)
  end

  describe 'with -pid' do
    let(:path) { File.join(work_dir, 'app.pid') }

    it "writes the root's PID, and removes the file at the end" do
      server = boot_hello('-w', '2', '-t', '1', '-pid', path)
      expect(File.read(path)).to eq("#{server.pid}\n")
      Process.kill(:KILL, eventually { server.children.first })
      eventually { server.stderr.include?('is replaced') && server.children.size == 2 }
      expect(File.read(path)).to eq("#{server.pid}\n")
      server.kill
      server.wait
      expect(File.exist?(path)).to be(false)
    end

    it 'replaces a stale one' do
      dead = Process.spawn('true')
      Process.wait(dead)
      File.write(path, dead.to_s)
      server = boot_hello('-w', '1', '-t', '1', '-pid', path)
      expect(File.read(path)).to eq("#{server.pid}\n")
    end

    it 'replaces an empty one, and one whose number another process has got since' do
      ['', Process.pid.to_s].each do |text|
        File.write(path, text)
        File.utime(0, 0, path)
        server = boot_hello('-w', '1', '-t', '1', '-pid', path)
        expect(File.read(path)).to eq("#{server.pid}\n")
        server.kill
        server.wait
      end
    end

    it 'leaves alone what is no PID file' do
      File.write(path, "run App\n")
      _, err, status = run_cli('-p', '0', '-w', '1', '-pid', path, echo)
      expect([status.exitstatus, File.read(path)]).to eq([1, "run App\n"])
      expect(err).to match(/\AFATAL: #{Regexp.escape(path)} is no PID file, .*\n\z/)
    end

    it 'leaves a live one alone' do
      File.write(path, Process.pid.to_s)
      _, err, status = run_cli('-p', '0', '-w', '1', '-pid', path, echo)
      expect(status.exitstatus).to eq(1)
      expect(err).to match(/\AFATAL: .*live process #{Process.pid}.*\n\z/)
      expect(File.read(path)).to eq(Process.pid.to_s)
    end

    it 'says that it could not be written' do
      _, err, status = run_cli('-p', '0', '-w', '1', '-pid', '/nowhere/x.pid', echo)
      expect(status.exitstatus).to eq(1)
      expect(err).to match(%r{\AFATAL: .*/nowhere/x\.pid: .*\n\z})
    end
  end
end
