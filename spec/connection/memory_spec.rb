# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Memory of connections' do
  TIDY = <<~RUBY
    def on_message(client, data)
      return client.write(data) unless data == 'tidy'
      3.times { GC.start }
      GC.compact
      client.write(ObjectSpace.each_object(Iodine::Connection).count.to_s.rjust(8))
    end
  RUBY

  def churn(count)
    count.times.each_slice(100) do |slice|
      clients = slice.map { dial.write('hello') }
      clients.each { |client| client.tap { client.read(5) }.close }
    end
  end

  long = ENV['SOAK'] == '1'

  it "stays flat over #{raw = long ? 100_000 : 5_000} that open and close", :soak do
    @server = boot_raw(TIDY)
    watcher = dial
    churn(2000)
    watcher.write('tidy').read(8)
    before = @server.rss
    churn(raw)
    expect(watcher.write('tidy').read(8).to_i).to be < 120
    expect(@server.rss - before).to be < 3_000_000 * Support::Deadline::SLOWER
  end

  # WebSockets that come, talk, and go in every way.
  def churn_sockets(count)
    ways = [:hang_up, ->(socket) { socket.raw.reset }, ->(socket) { socket.close.tap(&:closing).hang_up }]
    hello = Support::WebSocket.frame(1, 'hello')
    count.times.each_slice(200) do |slice|
      sockets = slice.map { connect(early: hello, deflate: '') }
      sockets.each_with_index do |socket, n|
        expect(socket.receive).to eq('hello')
        ways[n % ways.size].to_proc.call(socket)
      end
    end
  end

  it "stays flat over #{sockets = long ? 80_000 : 4_000} WebSockets that open, subscribe, and close", :soak do
    @server = boot_upgrades(<<~'RUBY', threads: 4)
      def on_open(client)
        client.subscribe("room #{client.object_id}")
        client.subscribe(:all) { |_channel, _message| nil }
        client.defer { @deferred = true }
      end
      def on_message(client, data)
        return client.write(data) unless data == 'tidy'
        3.times { GC.start }
        GC.compact
        client.write([Iodine::Connection, Callbacks, Proc].map { |kind| ObjectSpace.each_object(kind).count }.join(' '))
      end
      def on_close(_client) = (@closed = true)
    RUBY
    watcher = connect(timeout: 20)
    tidy = -> { watcher.text('tidy').receive.split.map(&:to_i) }
    churn_sockets(sockets / 4)
    objects = tidy.call
    before = @server.rss
    4.times { churn_sockets(sockets / 4) }
    tidy.call.zip(objects) { |now, then_| expect(now).to be < then_ + 60 }
    expect(@server.rss - before).to be < 4_000_000 * Support::Deadline::SLOWER
    expect(@server.descriptors).to be < 60
  end

  it 'is kept for those that are open, wherever they are moved' do
    @server = boot_raw(TIDY)
    clients = Array.new(200) { dial }
    clients.each { |client| expect(client.write('before').read(6)).to eq('before') }
    expect(clients.first.write('tidy').read(8).to_i).to be_between(200, 210)
    clients.each { |client| expect(client.write('after').read(5)).to eq('after') }
  end

  it 'is right when the GC runs all the time' do
    @server = boot_raw(<<~RUBY, setup: 'Iodine.on_state(:on_start) { GC.stress = true }')
      def on_open(client) = client.write('open ')
      def on_message(client, data)
        client.defer { client.write('deferred ') }
        client.handler = Class.new { def on_message(client, data) = client.write(data.upcase) }.new if data == 'switch'
        client.write(data * 3)
      end
    RUBY
    clients = Array.new(3) { dial(timeout: 30) }
    clients.each do |client|
      expect(client.read(5)).to eq('open ')
      expect(client.write('abc').read(18)).to eq('abcabcabcdeferred ')
      expect(client.write('switch').read(27)).to eq("#{'switch' * 3}deferred ")
      expect(client.write('new').read(3)).to eq('NEW')
    end
  end

  it 'of WebSockets and event streams is right when the GC runs all the time' do
    @server = boot_upgrades(<<~'RUBY', setup: <<~SETUP, app: <<~APP)
      def on_open(client)
        client.subscribe("here") { |channel, message| client.write([channel, message].join(' ')) }
        client.write('open')
      end
      def on_message(client, data)
        client.publish('here', data * 2)
        client.defer { client.write("deferred #{data}") }
        client.close(4000, 'r' * 40) if data == 'close'
      end
    RUBY
      class Old
        def on_message(data) = write(data) && each { |other| other.write(data) }
      end
      Iodine.on_state(:on_start) { GC.stress = true }
    SETUP
      env['rack.upgrade'] = Callbacks.new if env['rack.upgrade?'] && env['PATH_INFO'] == '/'
      env['upgrade.websocket'] = Old if env['PATH_INFO'] == '/old'
      [200, { 'content-type' => 'text/plain' }, []]
    APP
    socket = connect(timeout: 60)
    expect(socket.receive).to eq('open')
    events = stream(timeout: 60)
    expect(events.data).to eq('open')
    2.times do
      expect([socket.text('x').receive, socket.receive].sort).to eq(['deferred x', 'here xx'])
      expect(events.data).to eq('here xx')
    end
    expect(socket.text('close').closing).to eq([4000, 'r' * 40])
    old = Array.new(2) { connect('/old', timeout: 60) }
    expect([old.first.text('x').receive, old.last.receive]).to eq(%w[x x])
  end
end
