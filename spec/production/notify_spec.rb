# frozen_string_literal: true

# What systemd is told.
RSpec.describe 'Notifications' do
  app = "run ->(_env) { [200, {}, ['hello']] }"

  it 'tell that it is ready, reloads, lives, is replaced and stops' do
    systemd = Support::NotifySocket.new(File.join(work_dir, 'notify'))
    server = boot(app, '-w', '2', '-t', '1', env: { 'NOTIFY_SOCKET' => systemd.name, 'WATCHDOG_USEC' => '400000' })
    at = systemd.wait_for(/\AREADY=1\n\z/, pid: server.pid)
    expect(systemd.told.first).to eq([server.pid, "READY=1\n"])
    expect(systemd.wait_for(/\ASTATUS=2 of 2 workers, \d+ connections?\n\z/, pid: server.pid, from: at)).to be > at
    3.times { at = systemd.wait_for(/\AWATCHDOG=1\n\z/, pid: server.pid, from: at) }
    dial(server) do |client|
      client.get
      at = systemd.wait_for(/\ASTATUS=2 of 2 workers, [1-9]\d* connections?\n\z/, pid: server.pid, from: at)
    end

    server.kill(:USR1)
    at = systemd.wait_for(/\ARELOADING=1\nMONOTONIC_USEC=\d+\n\z/, pid: server.pid, from: at)
    at = systemd.wait_for(/\AREADY=1\n\z/, pid: server.pid, from: at, timeout: 60)

    server.kill(:USR2)
    at = systemd.wait_for(/\ARELOADING=1\nMONOTONIC_USEC=\d+\n\z/, pid: server.pid, from: at)
    at = systemd.wait_for(/\AMAINPID=\d+\nREADY=1\n\z/, pid: server.pid, from: at, timeout: 60)
    heir = systemd.told[at - 1].last[/\d+/].to_i
    expect(server.wait(timeout: 60)).to be_success
    at = systemd.wait_for(/\AWATCHDOG=1\n\z/, pid: heir, from: at)

    Process.kill(:TERM, heir)
    systemd.wait_for(/\ASTOPPING=1\n\z/, pid: heir, from: at)
    expect(systemd.told.map(&:first).uniq).to eq([server.pid, heir])
    expect(systemd.told).not_to include([server.pid, "STOPPING=1\n"])
  end

  it 'tell that a hot restart is over that failed' do
    systemd = Support::NotifySocket.new(File.join(work_dir, 'notify'))
    dir = work_dir
    file = write_file(dir, 'config.ru', app)
    server = boot_cli('-w', '1', '-t', '1', file, dir: dir, env: { 'NOTIFY_SOCKET' => systemd.name })
    at = systemd.wait_for(/\AREADY=1\n\z/, pid: server.pid)
    write_file(dir, 'config.ru', 'exit 1')
    server.kill(:USR2)
    at = systemd.wait_for(/\ARELOADING=1\n/, pid: server.pid, from: at)
    systemd.wait_for(/\AREADY=1\n\z/, pid: server.pid, from: at, timeout: 60)
  end

  it 'go to an abstract socket, without the signs of life that another process owes' do
    systemd = Support::NotifySocket.new("@iodine-spec-#{Process.pid}")
    server = boot(app, '-w', '1', '-t', '1', env: { 'NOTIFY_SOCKET' => systemd.name, 'WATCHDOG_USEC' => '100000',
                                                    'WATCHDOG_PID' => '1' })
    at = systemd.wait_for(/\AREADY=1\n\z/, pid: server.pid)
    at = systemd.wait_for(/\ASTATUS=\d+ connections?\n\z/, pid: server.pid, from: at)
    server.kill
    expect(server.wait).to be_success
    expect(systemd.told.drop(at)).to eq([[server.pid, "STOPPING=1\n"]])
  end

  it 'that reach nobody are one line in the log' do
    server = boot(app, '-w', '1', '-t', '1', env: { 'NOTIFY_SOCKET' => '/nowhere/notify' })
    expect(server.get.status).to eq(200)
    server.kill
    expect(server.wait).to be_success
    expect(server.stderr.scan(%r{WARNING: can't tell systemd on /nowhere/notify: .*\n}).size).to eq(1)
  end

  # The application's place is another one here.
  it 'are what the units in docs/systemd count on, which systemd finds right' do
    dir = work_dir
    Dir[File.join(ROOT, 'docs/systemd/*')].each do |file|
      text = File.read(file).sub('/usr/local/bin/bundle', Gem.bin_path('bundler', 'bundle'))
      write_file(dir, File.basename(file), text)
    end
    out, status = Open3.capture2e('systemd-analyze', '--man=no', 'verify', *Dir[File.join(dir, '*')])
    expect([out, status.exitstatus]).to eq(['', 0])
  end
end
