# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Callbacks of connections' do
  it 'run one at a time for a connection, in order, on any of 16 threads' do
    @server = boot_raw(<<~RUBY, threads: 16)
      def on_open(_client)
        @inside = 0
        @threads = {}
      end

      def on_message(client, data)
        @inside += 1
        sleep 0.001
        log 'two at once' if @inside != 1
        @threads[Thread.current] = true
        @inside -= 1
        client.write(data)
        client.defer { log 'two at once' if @inside != 0 }
      end
    RUBY
    clients = Array.new(8) { dial }
    20.times { |n| clients.each { |client| client.write([n].pack('N')) } }
    expected = (0...20).to_a.pack('N*')
    clients.each { |client| expect(client.read(80)).to eq(expected) }
    expect(logged).not_to include('two at once')
  end

  it 'are a class\'s own methods when that is the handler' do
    @server = boot_raw('', setup: <<~RUBY)
      class Callbacks
        def self.on_open(client) = log('open', client.handler.equal?(self))
        def self.on_message(client, data) = client.write(data.reverse)
        def self.new = self
      end
    RUBY
    expect(dial.write('abc').read(3)).to eq('cba')
    expect(logged).to include('open true')
  end

  it 'that raise are logged, and the connection goes on' do
    @server = boot_raw(<<~RUBY)
      def on_open(_client) = raise('in on_open')
      def on_message(client, data)
        client.defer { client.write('next') }
        raise IOError, 'in on_message' if data == 'raise'
        throw :nothing if data == 'throw'
        Thread.current.raise('from outside') if data == 'async'
        client.write(data)
      end
      def on_close(_client) = raise('in on_close')
    RUBY
    client = dial
    %w[raise throw async].each { |word| expect(client.write(word).read(4)).to eq('next') }
    expect(client.write('after').read(5)).to eq('after')
    client.close
    ['on_open: in on_open', 'on_message: in on_message (IOError)', 'on_message: uncaught throw :nothing',
     'on_message: from outside', 'on_close: in on_close'].each { |line| @server.wait_for(line) }
  end

  it 'that kill their thread lose nothing' do
    @server = boot_raw(<<~RUBY, threads: 1)
      def on_message(client, data)
        data == 'kill' ? Thread.current.kill : client.write(data)
      end
      def on_close(_client) = log('closed')
    RUBY
    before = eventually { logged.count('closed').nonzero? }
    client = dial.write('kill')
    sleep 0.1
    expect(client.write('after').read(5)).to eq('after')
    client.close
    eventually { logged.count('closed') == before + 1 }
  end

  it 'may be left out' do
    @server = boot_raw('def on_close(_client) = log("closed")')
    dial.write('x' * 3_000_000).shut
    eventually { logged.count('closed') >= 2 }
    @server = boot_raw('')
    client = dial.write('nobody hears this')
    expect(client).not_to be_closed_by_peer(0.2)
  end

  it 'change with the handler: the old on_close, then the new on_open' do
    @server = boot_raw(<<~RUBY)
      Second = Struct.new(:first) do
        def on_open(client) = log('second open', client.handler.equal?(self))
        def on_message(client, data)
          client.write("second \#{data}")
          Thread.new { client.handler = data == 'end' ? nil : first }
        end
        def on_close(client) = log('second close', client.open?)
      end

      def on_open(client) = log('first open')
      def on_message(client, data)
        client.handler = Second.new(self)
        client.write("first \#{data}")
      end
      def on_close(client) = log('first close')
    RUBY
    eventually { logged.include?('first close') }
    before = logged.size
    client = dial
    expect(client.write('a').read(7)).to eq('first a')
    expect(client.write('b').read(8)).to eq('second b')
    eventually { logged.last == 'first open' }
    expect(client.write('c').read(7)).to eq('first c')
    expect(client.write('end').rest).to eq('second end')
    eventually { logged.last == 'second close true' }
    expect(logged.drop(before)).to eq(['first open', 'first close', 'second open true', 'second close true',
                                       'first open', 'first close', 'second open true', 'second close true'])
  end

  it 'are told of a time without traffic, and the connection closes without a ping' do
    @server = boot_raw(<<~RUBY, listen: 'timeout: 1')
      def on_message(client, data)
        client.handler = Class.new { def ping(client) = client.write("ping \#{client.timeout}") }.new
        client.timeout = Integer(data)
      end
    RUBY
    quiet = dial
    pinged = dial.write('1')
    never = dial.write('0')
    expect(quiet.rest).to eq('')
    expect(pinged.read(6)).to eq('ping 1')
    expect(pinged.read(6)).to eq('ping 1')
    expect(never).not_to be_closed_by_peer(0.1)
  end

  it 'may set a time-out of 0 to 255 seconds, and defer what belongs to the connection' do
    @server = boot_raw(<<~'RUBY')
      def on_open(client)
        client.timeout = 255
        [256, -1, 10**30, 1.5].each do |value|
          client.timeout = value
        rescue RangeError, TypeError => e
          client.write("#{e.class}: #{e.message}\n")
        end
        block = client.defer { client.write("#{client.timeout} #{client.env.inspect} #{client.pubsub?}\n") }
        client.write("#{block.class}\n")
      end
      def on_close(client) = ($client = client)
      def on_message(client, _data)
        $client.handler = nil
        client.write([$client.defer { }.inspect, $client.open?, $client.write('x').inspect].join(' '))
      end
    RUBY
    client = dial
    expected = [256, -1, 10**30].map { |n| "RangeError: timeout is #{n}: give a number of seconds from 0 to 255\n" }.join
    expected << "TypeError: timeout must be an Integer, not Float\nProc\n255 nil true\n"
    expect(client.read(expected.bytesize)).to eq(expected)
    expect(client.write('x').read(13)).to eq('nil false nil')
  end

  it 'hear of a graceful stop, what they write then arrives, and on_close comes last' do
    @server = boot_raw(<<~RUBY)
      def on_shutdown(client) = client.write('bye' * 1_000_000)
      def on_close(_client) = log('closed')
    RUBY
    before = eventually { logged.count('closed').nonzero? }
    clients = Array.new(3) { dial }
    sleep 0.2
    @server.kill(:TERM)
    clients.each { |client| expect(client.rest.bytesize).to eq(3_000_000) }
    expect(@server.wait.success?).to be(true)
    expect(logged.count('closed')).to eq(before + 3)
  end

  it 'hear on_close of what a stop had to cut off' do
    @server = boot_raw(<<~RUBY, setup: 'Iodine::DEFAULT_SETTINGS[:shutdown_timeout] = 1')
      def on_open(client) = client.write('x' * 10_000_000)
      def on_close(_client) = log('closed')
    RUBY
    before = eventually { logged.count('closed').nonzero? }
    dial
    sleep 0.3
    @server.kill(:TERM)
    expect(@server.wait.success?).to be(true)
    expect(logged.count('closed')).to eq(before + 1)
  end
end
