# frozen_string_literal: true

# USR1 to the root of a cluster: new workers take the places of the old ones, and no client notices.
RSpec.describe 'A rolling restart' do
  app = <<~'RUBY'
    talk = Class.new do
      def on_open(client) = client.write('open')
      def on_shutdown(client) = client.write('bye')
    end
    run(lambda do |env|
      env['rack.upgrade'] = talk.new if env['rack.upgrade?']
      [200, { 'content-type' => 'text/plain' }, env['rack.upgrade?'] ? [] : [Process.pid.to_s]]
    end)
  RUBY

  def boot_cluster(app, *args)
    @server = boot(app, '-w', '2', '-t', '2', *args, lint: false)
    eventually { @server.children.size == 2 }
    @server
  end

  # Every worker is another one after it.
  def rotate(within: 30)
    before = eventually { @server.children.then { |pids| pids if pids.size == 2 } }
    @server.kill(:USR1)
    eventually(within: within) { @server.children.size == 2 && !@server.children.intersect?(before) }
  end

  # 80 clients and two restarts, or 400 and five with SOAK=1.
  it 'loses no request of kept connections, nor of others' do
    clients, times = ENV['SOAK'] == '1' ? [400, 5] : [80, 2]
    boot_cluster(app)
    load = Support::Load.new(@server, clients)
    times.times do
      before = load.answered
      eventually(within: 30) { load.answered > before + 200 }
      rotate(within: 120)
    end
    expect(load.finish.failures).to eq([])
    expect(@server.stderr).not_to match(/ERROR|cut off|killed/)
  end

  it 'closes a kept connection with its next answer, and an idle one at the end' do
    boot_cluster(app, '--shutdown-timeout', '3')
    kept = Array.new(12) { dial(timeout: 20).tap(&:get) }
    idle = Array.new(12) { dial(timeout: 20).tap(&:get) }
    @server.kill(:USR1)
    closing, others = eventually do
      kept.partition { |client| client.get['connection'] == 'close' }.then { |parts| parts if parts.first.any? }
    end
    expect(closing.map(&:closed_by_peer?)).to all(be(true))
    expect(others).not_to be_empty # of the other worker, which is not yet replaced
    expect(idle.map { |client| client.rest(within: 20) }).to all(eq(''))
  end

  it 'tells WebSockets and event streams, and closes them' do
    boot_cluster(app, '--shutdown-timeout', '3')
    sockets = Array.new(4) { Support::WebSocket.new(dial(timeout: 20)) }
    streams = Array.new(4) { Support::EventStream.new(dial(timeout: 20)) }
    rotate
    sockets.each do |socket|
      expect([socket.receive, socket.receive, socket.closing]).to eq(['open', 'bye', [1001, '']])
    end
    streams.each do |stream|
      open, again, bye = Array.new(3) { stream.read }
      expect([open.data, bye.data]).to eq(%w[open bye])
      expect(again.retry).to be_between(500, 3000)
      expect(stream).to be_over
    end
    expect(@server.stderr).not_to match(/ERROR|killed/)
  end

  it 'lets a stream end' do
    boot_cluster(<<~'RUBY', '--shutdown-timeout', '4')
      run(lambda do |env|
        [200, { 'content-type' => 'text/plain' }, Enumerator.new { |out| 20.times { |n| out << "#{n} "; sleep 0.1 } }]
      end)
    RUBY
    client = dial(timeout: 20).write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    client.take_through("\r\n\r\n")
    rotate
    expect(client.take_through("\r\n0\r\n\r\n")).to include('19 ')
  end

  it 'brings new code with --no-preload' do
    dir = work_dir
    file = write_file(dir, 'config.ru', "run ->(_) { [200, {}, ['old']] }")
    @server = boot_cli('-w', '2', '-t', '1', '--no-preload', file, dir: dir)
    eventually { @server.children.size == 2 }
    expect(@server.get.body).to eq('old')
    write_file(dir, 'config.ru', "run ->(_) { [200, {}, ['new']] }")
    rotate
    expect(Array.new(10) { @server.get.body }.uniq).to eq(['new'])
  end

  it 'gives way to a stop' do
    boot_cluster(app)
    dial.get # stays idle: the worker that has it would wait for it
    @server.kill(:USR1)
    @server.wait_for(/takes the place of worker/)
    @server.kill
    expect(@server.wait(timeout: 10)).to be_success
    expect(@server.stderr).not_to match(/ERROR|killed/)
  end
end
