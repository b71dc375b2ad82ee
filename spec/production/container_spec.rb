# frozen_string_literal: true

# As process 1 of a PID namespace, where nobody else reaps and passes signals on.
RSpec.describe 'Process 1 of a container' do
  def config_ru(version)
    <<~RUBY
      run(lambda do |env|
        case env['PATH_INFO']
        when '/orphan' then answer = `sh -c 'sleep 0.1 & echo $!'`.to_i
        when '/own'
          pid = Process.spawn('exit 7')
          sleep 1
          answer = Process.wait2(pid).last.exitstatus
        when '/pid' then answer = "\#{Process.pid} \#{Process.ppid}"
        else answer = #{version}
        end
        [200, { 'content-type' => 'text/plain' }, [answer.to_s]]
      end)
    RUBY
  end

  before do
    out, status = Open3.capture2e(*namespace, 'true')
    skip "unshare is not permitted here: #{out}" unless status.success?
  end

  def namespace
    %w[unshare --pid --fork --mount-proc --kill-child]
  end

  # server.pid is unshare's, @root that of process 1.
  def boot_container(*arguments)
    @dir = work_dir
    file = write_file(@dir, 'config.ru', config_ru(1))
    port = Support::Server.free_port
    command = [*ruby, File.join(ROOT, 'exe', 'iodine'), '-b', '127.0.0.1', '-p', port.to_s, *arguments, file]
    server = launch([*namespace, *command], port: port, dir: @dir)
    server.wait_for('listening')
    @root = server.children.first
    server
  end

  # Of process 1, with their states.
  def children
    File.read("/proc/#{@root}/task/#{@root}/children").split.to_h do |pid|
      [pid, File.read("/proc/#{pid}/stat")[/\) (.)/, 1]]
    end
  rescue Errno::ENOENT, Errno::ESRCH
    retry
  end

  it 'reaps what others left, but leaves the application its own' do
    server = boot_container('-w', '1', '-t', '2')
    expect(server.get('/pid').body).to eq('1 0')
    expect(server.get('/orphan').body.to_i).to be > 1
    eventually { children.value?('Z') } # it is not reaped at once
    expect(server.get('/own').body).to eq('7')
    eventually(within: 30) { !children.value?('Z') }
    Process.kill(:TERM, @root)
    expect(server.wait.exitstatus).to eq(0)
  end

  it 'stays after each hot restart, passes signals on and ends as the last one does' do
    server = boot_container('-w', '2', '-t', '1', '--shutdown-timeout', '5')
    [2, 3].each do |version|
      write_file(@dir, 'config.ru', config_ru(version))
      Process.kill(:USR2, @root)
      eventually(within: 60) { server.stderr.scan('has taken over').size == version - 1 }
      eventually(within: 20) { server.get.body == version.to_s } # an old worker may not have heard yet
    end
    eventually(within: 30) { children.size == 1 } # the last root; its workers are its own
    workers = Array.new(20) { server.get('/pid').body }.uniq
    Process.kill(:USR1, @root)
    eventually(within: 60) { !Array.new(10) { server.get('/pid').body }.intersect?(workers) }
    expect(server.get('/orphan').body.to_i).to be > 1
    eventually(within: 20) { children.size == 1 }
    Process.kill(:TERM, @root)
    expect(server.wait(timeout: 60).exitstatus).to eq(0)
    expect(server.stderr).not_to match(/ERROR|killed/)
  end

  it 'ends with a successor that dies' do
    server = boot_container('-w', '1', '-t', '1', '--shutdown-timeout', '2')
    Process.kill(:USR2, @root)
    server.wait_for('has taken over', timeout: 60)
    heir = eventually { children.keys.first.to_i if children.size == 1 }
    Process.kill(:KILL, heir)
    expect(server.wait(timeout: 60).exitstatus).to eq(128 + 9)
  end
end
