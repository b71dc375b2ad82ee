# frozen_string_literal: true

RSpec.describe 'the workers' do
  let(:hello) { write_file(work_dir, 'config.ru', Support::RubyRunner::HELLO) }

  def alive?(pid)
    Process.kill(0, pid)
    File.read("/proc/#{pid}/stat").split(') ').last[0] != 'Z'
  rescue Errno::ESRCH, Errno::ENOENT
    false
  end

  it 'are replaced when they die' do
    server = boot_hello('-w', '2', '-t', '1')
    victim, other = eventually { server.children.then { |pids| pids if pids.size == 2 } }
    Process.kill(:KILL, victim)
    eventually { server.children.size == 2 && !server.children.include?(victim) }
    expect(server.children).to include(other)
    expect(server.stderr).to match(/^ERROR: worker #{victim} was killed by SIGKILL and is replaced at once/)
    expect(server.get.status).to eq(200)
  end

  it 'tell the root by :on_child_crush' do
    server = boot_script(<<~RUBY)
      Iodine.threads = 1
      Iodine.workers = 2
      Iodine.on_state(:on_child_crush) { warn "crush in \#{Process.pid}" }
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
      Iodine.start
    RUBY
    Process.kill(:KILL, eventually { server.children.first })
    server.wait_for("crush in #{server.pid}")
  end

  it 'are replaced after Iodine.stop in one, without a crush' do
    server = boot_script(<<~RUBY)
      Iodine.threads = 1
      Iodine.workers = 2
      Iodine.on_state(:on_child_crush) { warn 'crush' }
      Iodine.listen(service: :http, address: '127.0.0.1') { Iodine.stop; [200, {}, [Process.pid.to_s]] }
      Iodine.start
    RUBY
    pid = answering_pid(server)
    eventually { server.children.size == 2 && !server.children.include?(pid) }
    expect(server.stderr).not_to match(/crush|ERROR/)
  end

  it 'come with more and more delay when they die young' do
    server = boot_hello('-w', '2', '-t', '1')
    3.times do
      pids = eventually { server.children.then { |all| all if all.size == 2 } }
      Process.kill(:KILL, pids.max)
      eventually { !server.children.include?(pids.max) }
    end
    expect(server.wait_for(/is replaced in ([\d.]+) s/)[1].to_f).to be > 0
    expect(server.get.status).to eq(200)
  end

  it 'stop the start with the last error when none ever comes up' do
    _, err, status = run_cli('-p', '0', '-b', '127.0.0.1', '-w', '2', '-t', '1', '--no-preload',
                             write_file(work_dir, 'config.ru', "raise 'the database is away'"))
    expect(status.exitstatus).to eq(1)
    expect(err.lines.last).to match(/\AFATAL: no worker came up: the database is away \(RuntimeError\)\n\z/)
  end

  it 'say that the system lets none be made' do
    _, err, status = run_cli('-p', '0', '-b', '127.0.0.1', '-w', '2', '-C', write_file(work_dir, 'config.rb', <<~RUBY), hello)
      def Process._fork = raise(Errno::EAGAIN)
    RUBY
    expect(status.exitstatus).to eq(1)
    expect(err.lines.last).to match(/\AFATAL: can't fork a worker: Resource temporarily unavailable.*\n\z/)
  end

  it 'are replaced later when the system lets none be made now' do
    flag = File.join(work_dir, 'no-fork')
    config = write_file(work_dir, 'config.rb', <<~RUBY)
      refusing = Module.new { define_method(:_fork) { File.exist?(#{flag.inspect}) ? raise(Errno::EAGAIN) : super() } }
      Process.singleton_class.prepend(refusing)
    RUBY
    server = boot_hello('-w', '2', '-t', '1', '-C', config)
    pids = eventually { server.children.then { |all| all if all.size == 2 } }
    File.write(flag, '')
    Process.kill(:KILL, pids.first)
    server.wait_for(/ERROR: can't fork a worker/)
    expect(server.get.status).to eq(200)
    File.unlink(flag)
    eventually { server.children.size == 2 }
  end

  it 'stop when the root dies' do
    journal = File.join(work_dir, 'journal')
    server = boot_script(<<~RUBY)
      Iodine.threads = 1
      Iodine.workers = 2
      Iodine.on_state(:on_parent_crush) { File.open(#{journal.inspect}, 'a') { |file| file.syswrite("crush\\n") } }
      Iodine.on_state(:on_finish) { File.open(#{journal.inspect}, 'a') { |file| file.syswrite("finish\\n") } }
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
      Iodine.start
    RUBY
    pids = eventually { server.children.then { |all| all if all.size == 2 } }
    expect(server.get.status).to eq(200)
    server.kill(:KILL)
    eventually { pids.none? { |pid| alive?(pid) } }
    expect(File.readlines(journal, chomp: true).tally).to eq('crush' => 2, 'finish' => 2)
  end

  it 'stop gracefully at their own TERM, and are replaced' do
    server = boot_hello('-w', '2', '-t', '1')
    pid = eventually { server.children.first }
    server.get
    Process.kill(:TERM, pid)
    eventually { server.children.size == 2 && !server.children.include?(pid) }
    expect(server.stderr).not_to match(/ERROR/)
  end

  describe 'at USR1' do
    it 'are replaced one by one: the new one is up before the old one stops' do
      journal = write_file(work_dir, 'journal', '')
      server = boot_script(<<~RUBY)
        Iodine.threads = 1
        Iodine.workers = 2
        note = ->(what) { File.open(#{journal.inspect}, 'a') { |file| file.syswrite("\#{what}\\n") } }
        Iodine.on_state(:on_start) { note.call(:up) }
        Iodine.on_state(:start_shutdown) { note.call(:down) if Iodine.worker? }
        Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
        Iodine.start
      RUBY
      old = eventually { server.children.then { |all| all if all.size == 2 } }
      eventually { File.readlines(journal).size == 2 }
      server.kill(:USR1)
      eventually { server.children.size == 2 && !server.children.intersect?(old) }
      expect(File.readlines(journal, chomp: true)).to eq(%w[up up up down up down])
    end

    it 'lose no request' do
      server = boot_hello('-w', '2', '-t', '2')
      statuses = []
      load = Thread.new { statuses << server.get.status until Thread.current[:enough] }
      old = eventually { server.children.then { |all| all if all.size == 2 } }
      server.kill(:USR1)
      eventually { server.children.size == 2 && !server.children.intersect?(old) }
      load[:enough] = true
      load.join(10)
      expect(statuses.uniq).to eq([200])
    end

    it 'stay when the new one does not come up' do
      flag = File.join(work_dir, 'broken')
      server = boot(<<~RUBY, '-w', '2', '-t', '1', '--no-preload', lint: false)
        raise 'broken' if File.exist?(#{flag.inspect})
        warn 'loaded'
        #{Support::RubyRunner::HELLO}
      RUBY
      eventually { server.stderr.scan('loaded').size == 2 }
      old = eventually { server.children.then { |all| all if all.size == 2 } }
      File.write(flag, '')
      server.kill(:USR1)
      server.wait_for(/ERROR: the new worker failed to come up: broken.*the old ones stay/)
      expect(server.children).to match_array(old)
      File.unlink(flag)
      server.kill(:USR1)
      eventually { server.children.size == 2 && !server.children.intersect?(old) }
    end

    it 'are none in a single process: one line says so' do
      server = boot_hello('-w', '1', '-t', '1')
      server.kill(:USR1)
      server.wait_for(/WARNING: USR1 replaces workers, and a single process has none/)
      expect(server.get.status).to eq(200)
    end

    it 'can be asked for by a timer of the root, as the README of 0.7 does' do
      server = boot_script(<<~RUBY)
        Iodine.threads = 1
        Iodine.workers = 2
        Iodine.run_after(700) { Process.kill('SIGUSR1', Process.pid) unless Iodine.worker? }
        Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
        Iodine.start
      RUBY
      old = eventually { server.children.then { |all| all if all.size == 2 } }
      eventually { server.children.size == 2 && !server.children.intersect?(old) }
    end
  end
end
