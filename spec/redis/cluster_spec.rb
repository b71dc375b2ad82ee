# frozen_string_literal: true

# Whole servers, each with workers of its own, that share a Redis.
RSpec.describe 'Servers with one Redis' do
  # WebSockets talk in rooms; a request publishes, or sends a command.
  APP = <<~'RUBY'
    class Talk
      def initialize(room) = @room = room

      def on_open(client)
        client.subscribe(@room)
        client.subscribe('all:*', match: :redis)
        client.publish(@room, "joined #{@room}") if @room.start_with?('hello')
      end

      def on_message(client, data) = client.publish(@room, data)
    end

    run(lambda do |env|
      path = env['PATH_INFO'].delete_prefix('/')
      if env['rack.upgrade?']
        env['rack.upgrade'] = Talk.new(path)
        return [200, {}, []]
      end
      case path
      when 'cmd'
        replies = Thread::Queue.new
        Iodine::PubSub.default.cmd(*env['QUERY_STRING'].split('&')) { |reply| replies << reply }
        [200, {}, ["#{Process.pid} #{replies.pop.inspect}"]]
      when 'sockets'
        GC.start
        own = Dir['/proc/self/fd/*'].filter_map { |fd| File.readlink(fd)[/socket:\[(\d+)\]/, 1] rescue nil }
        port = ENV['IODINE_REDIS_URL'][/\d+\z/].to_i.to_s(16).rjust(4, '0').upcase
        [200, {}, [File.readlines('/proc/net/tcp').map(&:split).count { |row| row[2].end_with?(":#{port}") && own.include?(row[9]) }.to_s]]
      when 'root' then Process.kill('USR1', Process.ppid) && [200, {}, []]
      else
        Iodine.publish(path, env['QUERY_STRING'])
        [200, {}, [Process.pid.to_s]]
      end
    end)
  RUBY

  let(:redis) { boot_redis }

  def boot_cluster(*args, workers: 2, url: redis.url)
    boot(APP, '-t', '4', '-w', workers.to_s, *args, lint: false, env: { IODINE_REDIS_URL: url })
  end

  # Sockets in a room, on each worker.
  def talkers(server, room, count = 4)
    Array.new(count) { Support::WebSocket.new(dial(server), "/#{room}") }
  end

  # Waits until what is published by way of Redis reaches them all, and skips that.
  def ready(*sockets, room:, clusters: 1)
    subscribed(room, clusters)
    redis.cli('PUBLISH', room, 'ready')
    sockets.flatten.each { |socket| expect(socket.receive).to eq('ready') }
  end

  def subscribed(room, count = 1)
    eventually { redis.subscribers(room) == count }
  end

  [[1, 1], [2, 2], [1, 3]].each do |workers|
    it "are one: with #{workers.join(' and ')} workers each message reaches all, once and in one order" do
      sockets = workers.flat_map { |count| talkers(boot_cluster(workers: count), 'room') }
      ready(sockets, room: 'room', clusters: 2)
      sockets.each_with_index { |socket, sender| 25.times { |number| socket.text("#{sender} #{number}") } }
      heard = sockets.map { |socket| Array.new(25 * sockets.size) { socket.receive } }
      expect(heard.uniq.size).to eq(1)
      heard.first.map(&:split).group_by(&:first).each_value do |said|
        expect(said.map { |_, number| number.to_i }).to eq((0...25).to_a)
      end
      redis.cli('PUBLISH', 'all:1', 'last')
      sockets.each { |socket| expect(socket.receive).to eq('last') }
    end
  end

  it 'have two connections each, in the root' do
    server = boot_cluster(workers: 3)
    ready(talkers(server, 'room'), room: 'room')
    connections = redis.cli('CLIENT', 'LIST').lines.grep_v(/cmd=client/)
    expect(connections.size).to eq(2)
    expect(Array.new(20) { server.get('/sockets').body }.uniq).to eq(%w[0])
  end

  [1, 2].each do |workers|
    it "with #{workers} workers let the first one in a room hear itself, when it talks at once" do
      server = boot_cluster(workers: workers)
      50.times do |number|
        socket = talkers(server, "hello#{number}", 1).first
        expect(socket.receive).to eq("joined hello#{number}")
        socket.text('again')
        expect(socket.receive).to eq('again')
        socket.hang_up
      end
    end
  end

  it 'have connections for each worker if the application makes the engine there, and hear nothing twice' do
    app = "Iodine::PubSub.default = Iodine::PubSub::Redis.new(#{redis.url.inspect})\n#{APP}"
    server = boot(app, '-t', '4', '-w', '3', '--no-preload', lint: false)
    curl("http://127.0.0.1:#{server.port}/nobody") # the application is loaded
    sockets = []
    workers = eventually(within: 60) do # the first worker may be alone for a while
      sockets << Support::WebSocket.new(dial(server), '/room')
      redis.subscribers('room').then { |count| count if count > 1 }
    end
    expect(server.stderr).to match(/WARNING: .*too late/)
    redis.cli('PUBLISH', 'room', 'ready')
    sockets.each { |socket| expect(socket.receive).to eq('ready') }
    sockets.first.text('1')
    sockets.each { |socket| expect(socket.receive).to eq('1') }
    redis.cli('PUBLISH', 'all:1', 'last')
    sockets.each { |socket| expect(socket.receive).to eq('last') }
    expect(workers).to be <= 3
  end

  it 'are told of names that nobody has any more' do
    server = boot_cluster
    sockets = talkers(server, 'room')
    subscribed('room')
    sockets.each(&:hang_up)
    subscribed('room', 0)
  end

  it 'send commands from every worker' do
    server = boot_cluster
    replies = Array.new(30) { server.get('/cmd?INCR&count').body.split }
    expect(replies.map { |_, reply| reply.to_i }).to eq((1..30).to_a)
    expect(replies.map(&:first).uniq.size).to be > 1
    expect(server.get('/cmd?NONSENSE').body).to match(/#<RedisClient::CommandError: ERR unknown command/)
    expect(server.get('/cmd?LRANGE&none&0&-1').body).to end_with(' []')
  end

  it 'go on alone while Redis is away, and together when it is back' do
    one, two = Array.new(2) { boot_cluster }
    here = talkers(one, 'room', 3)
    there = talkers(two, 'room', 3)
    ready(here, there, room: 'room', clusters: 2)
    redis.die
    [one, two].each { |server| server.wait_for(/is lost/) }
    here.first.text('1')
    here.each { |socket| expect(socket.receive).to eq('1') }
    there.first.text('2')
    there.each { |socket| expect(socket.receive).to eq('2') }
    redis.start
    [one, two].each { |server| server.wait_for(/is back: 1 message was sent late, none lost/, timeout: 20) }
    here.first.text('3')
    # What was sent late reached the other if that was back before.
    [[here, '2'], [there, '1']].each do |sockets, late|
      heard = sockets.map { |socket| [socket.receive].tap { |texts| texts << socket.receive if texts.first == late } }
      expect(heard.uniq).to contain_exactly(['3']).or contain_exactly([late, '3'])
    end
  end

  it 'keep it when a worker is replaced' do
    server = boot_cluster('--shutdown-timeout', '2')
    ready(talkers(server, 'room', 1), room: 'room')
    old = server.children
    server.kill(:USR1)
    eventually(within: 20) { server.children.size == 2 && !server.children.intersect?(old) }
    sockets = talkers(server, 'room')
    ready(sockets, room: 'room')
    expect(server.get('/sockets').body).to eq('0')
    sockets.first.text('hello')
    sockets.each { |socket| expect(socket.receive).to eq('hello') }
    expect(redis.cli('CLIENT', 'LIST').lines.grep_v(/cmd=client/).size).to eq(2)
  end

  it 'send what is published when they stop' do
    server = boot("Iodine.on_state(:on_finish) { Iodine.publish('end', 'bye') if Iodine.master? }\n#{APP}", '-w', '1', '-t', '1',
                  lint: false, env: { IODINE_REDIS_URL: redis.url })
    client = Support::RawClient.tcp(redis.port)
    client.write("SUBSCRIBE end\r\n")
    client.read('*3 $9 subscribe $3 end :1'.gsub(' ', "\r\n").size + 2)
    server.kill
    server.wait
    expect(client.read("*3\r\n$7\r\nmessage\r\n$3\r\nend\r\n$3\r\nbye\r\n".size)).to end_with("bye\r\n")
    client.close
  end
end
