# frozen_string_literal: true

# Workers die at random under load: for 10 s, or for a minute with FAULTS=60.
RSpec.describe 'Workers that are killed at random' do
  seconds = Integer(ENV.fetch('FAULTS', 10))

  app = <<~'RUBY'
    listener = Class.new { def on_open(client) = client.subscribe('news') }
    run(lambda do |env|
      env['rack.upgrade'] = listener.new if env['rack.upgrade?'] == :websocket
      Iodine.publish('news', env['QUERY_STRING']) if env['PATH_INFO'] == '/publish'
      sleep 0.01
      [200, { 'content-type' => 'text/plain' }, env['rack.upgrade?'] ? [] : [Process.pid.to_s]]
    end)
  RUBY

  before { @server = boot(app, '-w', '3', '-t', '2', lint: false) }

  # Kills one now and then.
  # @return [Array<Integer>] their PIDs
  def kill_workers(seconds, killed)
    random = Random.new(6)
    deadline = Support::Deadline.now + seconds
    while Support::Deadline.now < deadline
      sleep random.rand(0.2..1.5)
      victim = @server.children.sample(random: random)
      killed << victim
      Process.kill(:KILL, victim) if victim
    end
  end

  # WebSockets until each worker has some: who published is told to all of them.
  def hear_from_everywhere
    sockets = Array.new(18) { Support::WebSocket.new(dial(timeout: 20)) }
    eventually(within: 20) do # a subscription reaches the root a little later
      text = rand(1 << 30).to_s
      @server.get("/publish?#{text}")
      sockets.all? { |socket| last_heard(socket, text) }
    end
  end

  def last_heard(socket, text)
    heard = socket.receive until heard == text
    true
  rescue Support::Deadline::Passed
    false
  end

  it 'lose their own requests alone; publications reach all again' do
    killed = []
    # A connection that had an answer tells by it which worker had it; of a new one only that it was accepted.
    load = Support::Load.new(@server, 24) do |error, last|
      error.is_a?(Support::RawClient::Closed) && (last.nil? || killed.include?(last.body.to_i))
    end
    kill_workers(seconds, killed)
    eventually(within: 90) { @server.children.size == 3 }
    load.finish
    expect(load.failures).to eq([])
    expect(load.answered).to be > 100
    expect(load.tolerated).to be <= killed.size * 24
    hear_from_everywhere
    pids = eventually(within: 20) { Array.new(40) { @server.get.body.to_i }.uniq.then { |all| all if all.size > 1 } }
    expect(pids - @server.children).to eq([])
    expect(@server.stderr.scan('was killed by SIGKILL').size).to be_between(1, killed.size)
    expect(@server.stderr).not_to match(/cut off|FATAL/)
  end
end
