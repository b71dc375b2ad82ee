# frozen_string_literal: true

# USR2: another process takes over, and no client notices.
RSpec.describe 'A hot restart' do
  # Until the first line of the log signals are not for it.
  def boot_up(*arguments, dir:)
    boot_cli(*arguments, write_file(dir, 'config.ru', config_ru('old')), dir: dir).tap { |server| server.wait_for('listening') }
  end

  def config_ru(version)
    "run ->(_env) { [200, { 'content-type' => 'text/plain' }, ['#{version}']] }\n"
  end

  # Waits until the old process is gone. What serves then is of its group still, so that it is ended after the example.
  def restart(server, pid = server.pid)
    count = server.stderr.scan('has taken over').size
    Process.kill(:USR2, pid)
    eventually(within: 60) { server.stderr.scan('has taken over').size > count }
    eventually(within: 40) { pid == server.pid ? server.exited? : !alive?(pid) }
    server.stderr.scan(/process (\d+) has taken over/).last.first.to_i
  end

  def alive?(pid)
    !File.read("/proc/#{pid}/stat").match?(/\) Z /)
  rescue Errno::ENOENT, Errno::ESRCH
    false
  end

  # 40 clients and two restarts, or 400 and six with SOAK=1.
  it 'loses no request and brings new code, twice' do
    clients, times = ENV['SOAK'] == '1' ? [400, 6] : [40, 2]
    dir = work_dir
    pid_file, path, metrics = %w[app.pid app.sock metrics.sock].map { |name| File.join(dir, name) }
    file = write_file(dir, 'config.ru', config_ru(0))
    server = boot_cli('-w', '2', '-t', '2', '-b', '127.0.0.1', '-b', "unix://#{path}", '--metrics',
                      "unix://#{metrics}", '-pid', pid_file, file, dir: dir)
    load = Support::Load.new(server, clients)
    pid = server.pid
    1.upto(times) do |version|
      before = load.answered
      eventually(within: 60) { load.answered > before + 200 }
      write_file(dir, 'config.ru', config_ru(version))
      pid = restart(server, pid)
      expect(File.read(pid_file)).to eq("#{pid}\n")
      expect([server.get.body, curl('--unix-socket', path, 'http://x/')]).to eq([version.to_s] * 2)
      expect(curl('--unix-socket', metrics, '-w', '%{http_code}', '-o', File::NULL, 'http://x/ready')).to eq('200')
    end
    expect(load.finish.failures).to eq([])
    expect(server.stderr).not_to match(/ERROR|WARNING|killed/)
    Process.kill(:TERM, pid)
    eventually(within: 20) { !alive?(pid) }
    expect(Dir.children(dir)).to eq(['config.ru'])
  end

  it 'is done by a single process, too, on the port that the system chose' do
    dir = work_dir
    late = ->(version) { <<~RUBY }
      Iodine.on_state(:on_start) do
        Iodine.listen(service: :http, url: 'unix://#{dir}/late.sock') { [200, {}, ['late #{version}']] }
      end
    RUBY
    file = write_file(dir, 'config.ru', "#{late['old']}#{config_ru('old')}")
    server = launch([*ruby, File.join(ROOT, 'exe', 'iodine'), '-b', '127.0.0.1', '-p', '0', '-w', '1', '-t', '1', file],
                    port: nil, dir: dir)
    port = server.wait_for(%r{listening on http://127\.0\.0\.1:(\d+)\n})[1]
    idle = Support::RawClient.tcp(port, timeout: 20)
    expect(idle.get.body).to eq('old')
    write_file(dir, 'config.ru', "#{late['new']}#{config_ru('new')}")
    server.kill(:USR2)
    server.wait_for('has taken over', timeout: 60)
    eventually { curl("http://127.0.0.1:#{port}/") == 'new' } # the line comes first
    expect([idle.get, idle.rest].then { |last, rest| [last.body, last['connection'], rest] }).to eq(['old', 'close', ''])
    server.wait
    expect(curl('--unix-socket', "#{dir}/late.sock", 'http://x/')).to eq('late new')
    expect(server.stderr).not_to match(/ERROR/)
  end

  it 'leaves the old process where the new one fails, and says why' do
    dir = work_dir
    path = File.join(dir, 'app.sock')
    server = boot_up('-w', '2', '-t', '1', '-b', '127.0.0.1', '-b', "unix://#{path}", '-pid', "#{dir}/pid", dir: dir)
    {
      "\nraise 'no luck'\n" => 'no luck (RuntimeError)',
      "\nKernel.exit!(3)\n" => 'it ended with status 3',
      "\nProcess.kill(:KILL, Process.pid)\n" => 'it was killed by SIGKILL',
      "Iodine.on_state(:on_start) { raise Exception, 'no worker' }\n#{config_ru('new')}" => 'no worker came up'
    }.each do |code, reason|
      write_file(dir, 'config.ru', code)
      server.kill(:USR2)
      server.wait_for(/ERROR: the hot restart failed: .*#{Regexp.escape(reason)}.*: this process goes on\n/, timeout: 60)
      expect([server.get.body, curl('--unix-socket', path, 'http://x/')]).to eq(%w[old old])
      expect(File.read("#{dir}/pid")).to eq("#{server.pid}\n")
    end
    write_file(dir, 'config.ru', config_ru('new'))
    restart(server)
    expect(server.get.body).to eq('new')
  end

  it 'ends one that is not up in time' do
    dir = work_dir
    impatient = write_file(dir, 'impatient.rb', <<~RUBY)
      Iodine.const_get(:Successor).tap { |it| it.send(:remove_const, :PATIENCE) }.const_set(:PATIENCE, 1)
    RUBY
    server = boot_up('-w', '1', '-t', '1', '-C', impatient, dir: dir)
    write_file(dir, 'config.ru', "sleep\n")
    server.kill(:USR2)
    server.wait_for(/ERROR: the hot restart failed: it was not up after 1 s: this process goes on\n/, timeout: 60)
    expect(server.children).to eq([])
    expect(server.get.body).to eq('old')
  end

  it 'is not begun twice, and ends with the process that began it' do
    dir = work_dir
    server = boot_up('-w', '1', '-t', '1', dir: dir)
    write_file(dir, 'config.ru', "File.write('booting', Process.pid)\nsleep\n")
    server.kill(:USR2)
    booting = eventually(within: 30) { File.read(File.join(dir, 'booting')).to_i if File.size?(File.join(dir, 'booting')) }
    %i[USR1 USR2].each { |early| Process.kill(early, booting) } # it has nothing to replace yet, and doesn't die of it
    server.kill(:USR2)
    server.wait_for(/WARNING: a hot restart is under way: this USR2 is ignored\n/)
    expect(alive?(booting)).to be(true)
    server.kill
    expect(server.wait).to be_success
    expect(server.stderr).not_to match(/ERROR/)
    eventually { !alive?(booting) }
  end

  describe 'starts the program as it was started' do
    def release(dir, version, file = 'config.ru')
      write_file(dir, "releases/#{version}/Gemfile", "gem 'iodine', path: #{ROOT.inspect}\ngem 'rack'\n")
      write_file(dir, "releases/#{version}/#{file}", yield(<<~RUBY))
        was = ENV['MARK']
        ENV['MARK'] = 'set'
        app = ->(_env) { [200, {}, [[#{version}, was, Iodine.threads, File.basename(ENV['BUNDLE_GEMFILE'].to_s)].inspect]] }
      RUBY
    end

    # As a login shell in the folder "current", outside the bundle of these specs.
    def deploy(command, env: {}, file: 'config.ru', &source)
      dir = work_dir
      [1, 2].each { |version| release(dir, version, file, &source) }
      File.symlink('releases/1', current = File.join(dir, 'current'))
      port = Support::Server.free_port
      clean = ENV.keys.grep(/\A(?:BUNDLE|RUBYOPT|RUBYLIB)/).to_h { |name| [name, nil] }
      server = launch(command.map { |word| word == 'PORT' ? port.to_s : word }, port: port, dir: current, timeout: 60,
                                                                                env: { **clean, 'PWD' => current, 'PORT' => port.to_s, **env })
      File.symlink('releases/2', "#{current}.new")
      File.rename("#{current}.new", current)
      server
    end

    it 'in the folder that a symbolic link names by now, with its bundle and the environment of the first time' do
      server = deploy(%w[bundle exec iodine -b 127.0.0.1 -t 3 -w 1]) { |source| "#{source}run app\n" }
      expect(server.get.body).to eq('[1, nil, 3, "Gemfile"]')
      restart(server)
      expect(server.get.body).to eq('[2, nil, 3, "Gemfile"]')
    end

    it 'by rackup' do
      program = "require 'rackup'; Rackup::Server.start"
      server = deploy([*ruby, '-e', program, '--', '-s', 'iodine', '-o', '127.0.0.1', '-p', 'PORT', '-O', 'Threads=3'],
                      env: { 'RACK_ENV' => 'production', 'WORKERS' => '2' }) { |source| "#{source}run app\n" }
      expect(server.get.body).to eq('[1, nil, 3, ""]')
      restart(server)
      expect(server.get.body).to eq('[2, nil, 3, ""]')
    end

    it 'as a script with its arguments' do
      server = deploy([*ruby, '-r', 'iodine', 'app.rb', '3'], file: 'app.rb') do |source|
        <<~RUBY
          #{source}
          Iodine.threads = Integer(ARGV.shift)
          Iodine.workers = 1
          Iodine.listen(service: :http, address: '127.0.0.1', handler: app)
          Iodine.start
        RUBY
      end
      expect(server.get.body).to eq('[1, nil, 3, ""]')
      restart(server)
      expect(server.get.body).to eq('[2, nil, 3, ""]')
    end
  end
end
