# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'The client of a WebSocket\'s callbacks' do
  it 'tells what it is, and whose' do
    @server = boot_upgrades(<<~'RUBY')
      def on_open(client)
        client.write([client.class, client.protocol, client.pubsub?, client.open?, client.pending, client.timeout,
                      client.peer_addr, client.env['PATH_INFO'], client.env['HTTP_X_OWN'], client.handler.equal?(self),
                      client.close_code.inspect, client.last_event_id.inspect].join(' '))
        client.write_event(data: 'x')
      rescue RuntimeError => e
        client.write("#{e.class}: #{e.message}")
      end
      def on_close(client) = log(client.env['PATH_INFO'], client.env['HTTP_X_OWN'], client.pending)
    RUBY
    socket = connect('/path', { 'x-own' => 'mine' })
    expect(socket.receive).to eq('Iodine::Connection websocket true true 0 40 127.0.0.1 /path mine true nil nil')
    expect(socket.receive).to eq('RuntimeError: write_event is for event streams: this connection is a websocket')
    socket.hang_up
    eventually { logged == ['/path mine -1'] }
  end

  it 'is never in two callbacks at once, with 16 threads, and keeps order' do
    @server = boot_upgrades(<<~RUBY, threads: 16)
      def on_open(client)
        @inside = @next = 0
        client.subscribe(:all) { |_channel, _message| alone { nil } }
      end
      def alone
        log 'two at once' if (@inside += 1) != 1
        Thread.pass
        yield
        @inside -= 1
      end
      def on_message(client, data)
        alone do
          log 'out of order' if data.to_i != @next
          @next += 1
          client.defer { alone { client.write("\#{data} later") } }
          client.publish(:all, 'x') if (data.to_i % 50).zero?
          client.write(data)
        end
      end
      def on_drained(_client) = alone { nil }
      def on_close(_client) = alone { log('closed') }
    RUBY
    sockets = Array.new(40) { connect }
    200.times { |n| sockets.each { |socket| socket.text(n.to_s) } }
    sockets.each do |socket|
      got = Array.new(400) { socket.receive }
      expect(got.grep_v(/later/)).to eq((0...200).map(&:to_s))
      expect(got.grep(/later/)).to eq((0...200).map { |n| "#{n} later" })
      socket.hang_up
    end
    eventually { logged.size >= 40 }
    expect(logged).to eq(['closed'] * 40)
  end

  it 'knows what is pending, and on_drained when it has become nothing' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, _data)
        100.times { |n| client.write(n.to_s.rjust(10) * 10_000) }
        log 'pending', client.pending.between?(1, 100)
      end
      def on_drained(client) = log('drained', client.pending)
    RUBY
    socket = connect.text('go')
    eventually { logged == ['pending true'] }
    sleep 0.1
    expect(logged).to eq(['pending true'])
    expect(Array.new(100) { socket.receive }).to eq((0...100).map { |n| n.to_s.rjust(10) * 10_000 })
    eventually { logged == ['pending true', 'drained 0'] }
  end

  it 'closes with 1008 and a line when too much piles up, and nobody else waits' do
    @server = boot_upgrades(<<~RUBY, listen: 'max_pending: 1')
      def on_message(client, data)
        return client.write(data) unless data == 'flood'
        nil while client.write('x' * 100_000)
        log 'refused', client.open?
      end
      def on_close(client) = log('closed', client.close_code)
    RUBY
    other = connect
    connect.text('flood')
    eventually { logged == ['refused false', 'closed 1008'] }
    expect(other.text('hello').receive).to eq('hello')
    @server.wait_for(/WARNING: closed a connection of 127\.0\.0\.1 that let \d+ bytes pile up unread: max-pending/)
  end

  it 'closes who lets publications pile up, and the others get them all' do
    @server = boot_upgrades(<<~RUBY, listen: 'max_pending: 1')
      def on_open(client)
        client.subscribe(:flood)
        client.write('open')
      end
      def on_message(client, data) = 20.times { |n| client.publish(:flood, "\#{data} \#{n} \#{'x' * 20_000}") }
      def on_close(client) = log('closed', client.close_code)
    RUBY
    sockets = Array.new(3) { connect }
    sockets.each { |socket| expect(socket.receive).to eq('open') }
    sockets.shift # reads no more
    got = Array.new(2) { [] }
    60.times do |round|
      sockets.last.text(round.to_s)
      sockets.each_with_index { |socket, n| 20.times { got[n] << socket.receive.split.first(2).join(' ') } }
    end
    all = (0...60).flat_map { |round| (0...20).map { |n| "#{round} #{n}" } }
    expect(got).to eq([all, all])
    eventually { logged == ['closed 1008'] }
  end

  it 'makes a peer wait that sends faster than it is heard' do
    @server = boot_upgrades(<<~RUBY, threads: 1)
      def on_message(client, data)
        sleep 0.3 unless @size
        @size = @size.to_i + data.bytesize
        client.write('done') if @size == 20_000_000
      end
    RUBY
    socket = connect
    message = Support::WebSocket.frame(2, 'x' * 100_000)
    before = @server.rss
    sent = socket.raw.write_until_blocked(message * 200, patience: 0.05)
    expect(@server.rss - before).to be < 8_000_000 * Support::Deadline::SLOWER
    socket.write((message * 200).byteslice(sent..))
    expect(socket.receive).to eq('done')
  end

  it 'has another handler when it is given one: the old on_close, then the new on_open' do
    @server = boot_upgrades(<<~'RUBY')
      Second = Struct.new(:first) do
        def on_open(client) = log('second open', client.handler.equal?(self), client.open?)
        def on_message(client, data)
          client.write("second #{data}")
          Thread.new { client.handler = data == 'end' ? nil : first }
        end
        def on_close(client) = log('second close', client.close_code.inspect)
      end
      def on_open(client) = log('first open')
      def on_message(client, data)
        client.handler = Second.new(self)
        client.write("first #{data}")
      end
      def on_close(client) = log('first close', client.close_code.inspect)
    RUBY
    socket = connect
    expect(socket.text('a').receive).to eq('first a')
    expect(socket.text('b').receive).to eq('second b')
    eventually { logged.last == 'first open' }
    expect(socket.text('c').receive).to eq('first c')
    expect(socket.text('end').receive).to eq('second end')
    expect(socket.closing).to eq([1000, ''])
    once = ['first open', 'first close nil', 'second open true true', 'second close nil']
    eventually { logged == once * 2 }
  end

  it 'can be kept and used from anywhere, also when it is over' do
    @server = boot_upgrades(<<~RUBY, setup: 'KEPT = []', app: <<~'APP')
      def on_open(client)
        KEPT << client
        client.write('open')
      end
      def on_close(client) = log('closed')
    RUBY
      env['rack.upgrade'] = Callbacks.new if env['rack.upgrade?']
      told = KEPT.map do |client|
        [client.write('from outside').inspect, client.open?, client.pending, client.defer { nil }.class,
         client.subscribe(:x).inspect, client.unsubscribe(:x), client.close.inspect, client.timeout].join(' ')
      end
      [200, { 'content-type' => 'text/plain' }, [told.join("\n")]]
    APP
    socket = connect
    expect(socket.receive).to eq('open')
    expect(@server.get.body).to eq('true true 0 Proc :x true nil 40')
    expect(socket.receive).to eq('from outside')
    expect(socket.closing).to eq([1000, ''])
    socket.hang_up
    eventually { logged == ['closed'] }
    expect(@server.get.body).to eq('nil false -1 NilClass nil false nil 40')
  end

  it 'goes on when a callback raises, throws or kills its thread' do
    @server = boot_upgrades(<<~RUBY)
      def on_open(_client) = raise('in on_open')
      def on_message(client, data)
        client.defer { client.write('next') }
        raise IOError, 'in on_message' if data == 'raise'
        throw :nothing if data == 'throw'
        Thread.current.kill if data == 'kill'
        client.write(data)
      end
      def on_close(_client) = raise('in on_close')
    RUBY
    socket = connect
    %w[raise throw kill].each { |word| expect(socket.text(word).receive).to eq('next') }
    expect(socket.text('after').receive).to eq('after')
    socket.hang_up
    ['on_open: in on_open', 'on_message: in on_message (IOError)', 'on_message: uncaught throw :nothing',
     'on_close: in on_close'].each { |line| @server.wait_for(line) }
  end

  it 'belongs to the process that serves: a forked copy does nothing to it' do
    @server = boot_upgrades(<<~'RUBY')
      def on_message(client, data)
        client.subscribe(:here)
        told = IO.popen('-') do |child|
          next child.read if child
          print [client.open?, client.write('x'), client.defer { }, client.close, client.pending, client.subscribe(:x),
                 client.unsubscribe(:here), client.publish(:here, 'x')].inspect
          GC.start
          $stdout.flush
          exit!(0)
        end
        client.write("#{told} #{data}")
      end
    RUBY
    socket = connect
    expect(socket.text('hi').receive).to eq('[false, nil, nil, nil, -1, nil, false, true] hi')
    expect(socket.text('again').receive).to end_with(' again')
  end
end
