# frozen_string_literal: true

require 'json'
require 'open3'

# --metrics: how the server is doing, told by C from the root.
RSpec.describe 'Metrics' do
  app = <<~'RUBY'
    require 'fiddle'
    module News
      def self.on_open(client) = client.subscribe('news') && client.write('subscribed')
    end
    run(lambda do |env|
      case env['PATH_INFO']
      when '/pid' then next [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
      when '/stats' then next [200, { 'content-type' => 'text/plain' }, [Iodine.stats.inspect]]
      when '/publish' then Iodine.publish('news', 'hello')
      when '/hang' then sleep
      when '/spin' then Fiddle::Function.new(Fiddle.dlopen(nil)['sleep'], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true).call(60)
      end
      env['rack.upgrade'] = News if env['rack.upgrade?'] == :websocket
      [env['PATH_INFO'] == '/missing' ? 404 : 200, { 'content-type' => 'text/plain' }, ['hello']]
    end)
  RUBY

  # A real parser reads it: each sample as its name with labels → value.
  parser = <<~PYTHON
    import json, sys
    from prometheus_client.parser import text_string_to_metric_families
    samples = {}
    for family in text_string_to_metric_families(sys.stdin.read()):
        if not family.documentation or family.type == 'unknown': sys.exit(f'{family.name} has no HELP or TYPE')
        for sample in family.samples:
            key = sample.name + ''.join(f' {k}={v}' for k, v in sorted(sample.labels.items()))
            if key in samples: sys.exit(f'{key} comes twice')
            samples[key] = sample.value
    print(json.dumps(samples))
  PYTHON

  define_method(:parse) do |text|
    out, err, status = Open3.capture3('/usr/bin/python3', '-c', parser, stdin_data: text)
    expect([status.success?, err]).to eq([true, ''])
    JSON.parse(out)
  end

  def ask(path, method: 'GET')
    client = Support::RawClient.tcp(@metrics)
    client.ask("#{method} #{path} HTTP/1.1\r\nHost: spec\r\nConnection: close\r\n\r\n", head_only: method == 'HEAD')
  ensure
    client&.close
  end

  def samples
    parse(ask('/metrics').body)
  end

  def stats
    JSON.parse(ask('/stats').body)
  end

  def boot_with_metrics(app, *args, **options)
    @metrics = Support::Server.free_port
    @server = boot(app, '--metrics', @metrics.to_s, *args, lint: false, **options)
    eventually(within: 20) { listening? }
  end

  def listening?
    ask('/health').status == 200
  rescue SystemCallError, Support::RawClient::Closed
    false
  end

  def hang(path)
    dial.tap { |client| client.write("GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n") }
  end

  context 'with two workers' do
    before(:context) { boot_with_metrics(app, '-w', '2', '-t', '2') }

    it 'is on loopback and named in the banner' do
      expect(@server.stderr).to include("INFO: telling how it is doing on http://127.0.0.1:#{@metrics}\n")
    end

    it 'has /health, /ready, /metrics, /stats, a page and nothing else' do
      eventually { ask('/ready').body == "ready: 2 of 2 workers\n" }
      expect(ask('/health').body).to eq("ok\n")
      expect(ask('/').body).to start_with('<!doctype html>')
      expect(ask('/metrics').headers['content-type']).to eq('text/plain; version=0.0.4; charset=utf-8')
      expect(ask('/health', method: 'HEAD').headers['content-length']).to eq('3')
      expect([ask('/x').status, ask('/stats', method: 'DELETE').status]).to eq([404, 405])
    end

    it 'counts requests, connections and messages of all workers' do
      before = samples
      20.times { @server.get }
      3.times { @server.get('/missing') }
      sockets = Array.new(3) { Support::WebSocket.new(dial) }
      sockets.each { |socket| expect(socket.receive).to eq('subscribed') }
      expect(stats['connections']).to include('websocket' => 3, 'http_active' => 0)
      @server.get('/publish')
      sockets.each { |socket| expect(socket.receive).to eq('hello') }
      eventually { samples['iodine_delivered_total'] == before['iodine_delivered_total'] + 3 }
      after = samples
      grown = ->(name) { after[name] - before[name] }
      expect(grown['iodine_requests_total code=2xx']).to eq(21)
      expect(grown['iodine_requests_total code=4xx']).to eq(3)
      expect(grown['iodine_requests_total code=1xx']).to eq(3)
      expect(grown['iodine_request_duration_seconds_count']).to eq(27)
      expect(grown['iodine_request_queue_seconds_count']).to eq(27)
      expect(grown['iodine_connections_accepted_total']).to eq(27)
      expect(grown['iodine_published_total']).to eq(1)
      expect(grown['iodine_received_bytes_total']).to be > 27 * 40
      expect(grown['iodine_sent_bytes_total']).to be > 27 * 80
      expect(after['iodine_thread_busy_seconds_total']).to be > before['iodine_thread_busy_seconds_total']
      expect(after.values_at('iodine_threads worker=1', 'iodine_threads worker=2')).to eq([2, 2])
      expect(after.values_at('iodine_resident_memory_bytes worker=1', 'iodine_resident_memory_bytes worker=root')).to all(be > 1e6)
    end

    it 'says the same in /stats and in Iodine.stats' do
      here = eval(@server.get('/stats').body) # rubocop:disable Security/Eval
      there = stats
      expect(here.keys).to eq(there.keys)
      expect(here['workers'].map { |worker| worker['pid'] }).to match_array(@server.children)
      expect(here['root']['pid']).to eq(@server.pid)
      expect(there['requests']['total']).to be >= here['requests']['total']
    end

    it 'counts on when workers are replaced, and counts that' do
      10.times { @server.get }
      before = samples
      old = @server.children
      Process.kill(:KILL, old.first)
      eventually(within: 20) { stats['crashes'] == 1 && ask('/ready').body.include?('2 of 2') }
      @server.kill(:USR1)
      eventually(within: 30) { !@server.children.intersect?(old) && @server.children.size == 2 }
      eventually(within: 20) { stats['workers'].map { |worker| worker['pid'] }.sort == @server.children.sort }
      after = samples
      counters = before.keys.grep(/_total|_count|_bucket/)
      expect(counters.reject { |name| after[name] >= before[name] }).to eq([])
      expect(after['iodine_requests_total code=2xx']).to eq(before['iodine_requests_total code=2xx'])
      expect(stats['restarts']).to be >= 3
    end

    it 'answers while every application thread hangs, and says that nothing is ready' do
      clients = []
      eventually(within: 20) do
        clients << hang('/hang') # until each worker has one that waits
        ask('/ready').status == 503
      end
      eventually { stats.values_at('under_way', 'waiting').sum == clients.size }
      expect(stats['threads']).to include('count' => 4, 'busy' => 4)
      expect(ask('/health').status).to eq(200)
      clients.each(&:close)
      @server.children.each { |pid| Process.kill(:KILL, pid) }
      eventually(within: 20) { ask('/ready').body.include?('2 of 2') }
    end
  end

  context 'with one process' do
    it 'answers while Ruby spins' do
      boot_with_metrics(app, '-w', '1', '-t', '2', '--shutdown-timeout', '3')
      expect(ask('/ready').body).to eq("ready: 1 of 1 workers\n")
      hang('/spin')
      eventually { stats['threads']['busy'] == 1 }
      waiting = hang('/')
      eventually(within: 20) { ask('/ready').status == 503 }
      expect(samples['iodine_requests_waiting worker=1']).to be >= 1
      expect(stats['root']).to be_nil
      waiting.close
      @server.kill(:KILL)
    end

    it 'tells of the drain until it is over' do
      boot_with_metrics(app, '-w', '1', '-t', '2', '--shutdown-timeout', '4')
      hang('/hang')
      eventually { stats['under_way'] == 1 }
      @server.kill
      eventually(within: 3) { ask('/ready').body == "not ready: no worker serves\n" }
      @server.wait
    end
  end

  it 'is on a Unix socket, which is removed' do
    path = File.join(work_dir, 'metrics.sock')
    @server = boot(app, '--metrics', "unix://#{path}", '-w', '2', '-t', '1', lint: false)
    eventually(within: 20) { File.socket?(path) }
    eventually(within: 20) { JSON.parse(curl('--unix-socket', path, 'http://x/stats'))['ready'] }
    @server.kill
    @server.wait
    expect(File.exist?(path)).to be(false)
  end

  it 'is not there without the option' do
    script = 'Iodine.listen(service: :http, port: ENV["PORT"]) { |_| [200, {}, [Iodine.stats["workers"].size.to_s]] }
              $stdout.sync = true; puts Iodine.stats.inspect; Iodine.start'
    @server = boot_script(script, env: { 'WORKERS' => '1' })
    expect(@server.get.body).to eq('1')
    expect(@server.stdout).to eq("{}\n")
    expect(@server.stderr).not_to include('telling')
  end

  { 'nowhere' => /--metrics: "nowhere" is no address: give a port, HOST:PORT/, '127.0.0.1' => /--metrics: "127.0.0.1" is no address/,
    'http://x:99999' => /port "99999" is no port/ }.each do |address, message|
    it "refuses #{address}" do
      _, stderr, status = run_cli('--metrics', address, write_file(work_dir, 'config.ru', app))
      expect(stderr).to match(/\Aiodine: #{message}.*\n\z/)
      expect(status.exitstatus).to eq(64)
    end
  end

  it 'says in one line that its port is taken' do
    TCPServer.open('127.0.0.1', 0) do |taken|
      port = taken.addr[1]
      _, stderr, status = run_cli('--metrics', "127.0.0.1:#{port}", '-p', '0', '-w', '2', write_file(work_dir, 'config.ru', app))
      expect(stderr).to match(/^FATAL: can't listen on 127.0.0.1:#{port}: .*in use/)
      expect(status.exitstatus).to eq(1)
    end
  end
end
