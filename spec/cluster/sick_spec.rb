# frozen_string_literal: true

# Workers that hang are killed with what they were at in the log, and replaced.
RSpec.describe 'A worker that hangs' do
  app = <<~'RUBY'
    require 'fiddle'
    def wait_for_ever = Thread::Queue.new.pop
    run(lambda do |env|
      case env['PATH_INFO']
      when '/held' # in C, with the GVL
        sleep = Fiddle::Function.new(Fiddle::Handle::DEFAULT['sleep'], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true)
        warn 'held'
        sleep.call(600)
      when '/locked'
        warn 'locked'
        wait_for_ever
      when '/stream'
        steps = Enumerator.new { |out| 50.times { out << '.' and sleep 0.1 } }
        next [200, { 'content-type' => 'text/plain' }, steps]
      end
      [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
    end)
  RUBY

  before(:context) do
    config = write_file(work_dir, 'config.rb', "Iodine.on_state(:on_child_crush) { warn 'a crush' }")
    @server = boot(app, '-w', '2', '-t', '1', '--worker-timeout', '2', '-C', config, lint: false)
  end

  def workers
    eventually(within: 20) { @server.children.then { |pids| pids if pids.size == 2 && @server.get.status == 200 } }
  end

  # Kept connections of one worker, and its PID.
  def kept
    workers
    clients = Array.new(12) { dial(timeout: 20) }.group_by { |client| client.get.body.to_i }
    clients.max_by { |_, list| list.size }
  end

  def begin_request(client, path)
    client.write("GET #{path}?secret HTTP/1.1\r\nhost: x\r\n\r\n")
  end

  # A worker's only thread is taken, and more requests wait there.
  # @return [Array(Integer, String)] its PID, and what was logged until it was replaced
  def hang(path)
    pid, clients = kept
    from = @server.stderr.size
    begin_request(clients.first, path)
    eventually { @server.stderr[from..].include?(path.delete('/')) }
    clients.drop(1).each { |client| begin_request(client, '/waits') }
    eventually(within: 30) { @server.stderr[from..].include?("#{pid} was killed") }
    workers
    [pid, @server.stderr[from..]]
  end

  it 'with the GVL is killed; its requests are told' do
    pid, log = hang('/held')
    expect(log).to match(/^ERROR: worker #{pid} is sick and is killed, as worker-timeout is 2 s: no thread took what waits for \d+ s$/)
    expect(log).to match(%r{^ERROR: worker #{pid} has not answered for \d+ s: GET /held$})
    expect(log).to match(%r{^ERROR: worker #{pid} has not answered for \d+ s: GET /waits$})
    expect(log).to match(/^ERROR: worker #{pid} was killed by SIGKILL and is replaced at once$/)
    expect(log).to include('a crush')
    expect(log).not_to include('secret')
  end

  it 'in Ruby is killed; its threads are told' do
    pid, log = hang('/locked')
    expect(log).to match(/^WARNING: process #{pid}: 1 of 1 threads at work, \d+ jobs wait, \d+ connections$/)
    expect(log).to match(/^WARNING: thread iodine 1 \(sleep.*\n(?:\t.*\n)*\t.*wait_for_ever/)
    expect(log).not_to match(/has not answered/)
  end

  it 'as a whole is killed' do
    victim, other = workers
    Process.kill(:STOP, victim)
    @server.wait_for(/^ERROR: worker #{victim} is sick and is killed, as worker-timeout is 2 s: silent for \d+ s$/)
    @server.wait_for(/^ERROR: worker #{victim} was killed by SIGKILL/)
    eventually(within: 20) { workers.include?(other) && !workers.include?(victim) }
  end

  it 'is not one that streams while others wait' do
    pid, clients = kept
    begin_request(clients.first, '/stream')
    clients.first.take_through("\r\n\r\n")
    clients.drop(1).each { |client| begin_request(client, '/waits') }
    expect(clients.drop(1).map { |client| client.receive.body.to_i }).to all(eq(pid))
    expect(@server.children).to include(pid)
  end

  it 'is none when the root was stopped for a while' do
    before = workers
    from = @server.stderr.size
    pids = [*before, @server.pid]
    pids.each { |pid| Process.kill(:STOP, pid) }
    sleep 3 # longer than the time-out
    pids.each { |pid| Process.kill(:CONT, pid) }
    expect(@server.get.status).to eq(200)
    looks = Array.new(3) { sleep(0.5) && @server.children }
    expect(looks.map(&:sort).uniq).to eq([before.sort])
    expect(@server.stderr[from..]).not_to include('sick')
  end

  it 'is left alone with --worker-timeout 0' do
    @server = boot(app, '-w', '2', '-t', '1', '--worker-timeout', '0', lint: false)
    victim = workers.first
    Process.kill(:STOP, victim)
    sleep 3
    expect(@server.children).to include(victim)
    Process.kill(:KILL, victim)
  end

  describe 'while it boots' do
    let(:stuck) { File.join(work_dir, 'stuck') }

    before do
      config = write_file(work_dir, 'config.rb', <<~RUBY)
        def wait_for_it = (sleep 0.05 while File.exist?(#{stuck.inspect}))
        Iodine.on_state(:on_start) do
          wait_for_it
          warn 'started'
        end
      RUBY
      @server = boot(app, '-w', '2', '-t', '1', '--worker-timeout', '2', '-C', config, lint: false)
      eventually { @server.stderr.scan('started').size == 2 }
    end

    def wait_for_condemned
      @server.wait_for(/^ERROR: worker (\d+) is sick and is killed, as worker-timeout is 2 s: not up after \d+ s$/)[1].to_i
    end

    it 'is killed and replaced; its threads are told' do
      healthy, victim = workers
      FileUtils.touch(stuck)
      Process.kill(:KILL, victim)
      condemned = wait_for_condemned
      @server.wait_for(/^ERROR: worker #{condemned} was killed by SIGKILL and is replaced/)
      FileUtils.rm(stuck)
      eventually(within: 20) { workers.include?(healthy) && !workers.include?(condemned) }
      expect(@server.stderr).to match(/^WARNING: process #{condemned} serves nothing$/).and match(/^\t.*wait_for_it/)
      expect(@server.stderr).not_to include('no request is known')
    end

    it 'as the replacement of another one leaves that in its place' do
      before = workers
      FileUtils.touch(stuck)
      @server.kill(:USR1)
      wait_for_condemned
      @server.wait_for('ERROR: the new worker failed to come up: it was killed by SIGKILL: the old ones stay')
      expect(workers).to match_array(before)
    end
  end
end
