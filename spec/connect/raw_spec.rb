# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'Iodine.connect to a raw protocol' do
  ECHO_CALLBACKS = <<~RUBY
    def on_message(client, data)
      log('message', kind(data), data)
      client.write(data.upcase)
    end
  RUBY

  def connect_raw(options = '', callbacks: ECHO_CALLBACKS, **rest)
    listen
    boot_client(%(CONNECT.call(url: "tcp://127.0.0.1:#{@port}"#{options})), callbacks: callbacks, **rest)
    accept
  end

  it 'opens, hears bytes, writes bytes, and is told of the end' do
    peer = connect_raw
    expect(peer.write('hello').read(5)).to eq('HELLO')
    peer.close
    expect_told('open raw true', 'message binary hello', 'close false nil nil')
  end

  it 'over a Unix socket, by URL and by address' do
    path = File.join(work_dir, 'socket')
    listener = UNIXServer.new(path)
    boot_client(<<~RUBY, callbacks: ECHO_CALLBACKS)
      CONNECT.call(url: 'unix://#{path}')
      CONNECT.call(address: '#{path}', port: 0)
      CONNECT.call(url: 'raw://:0#{path}')
    RUBY
    3.times { expect(accept(listener).write('hello').read(5)).to eq('HELLO') }
    listener.close
  end

  it 'by address and port, an IPv6 one too' do
    listener = TCPServer.new('::1', 0)
    boot_client(<<~RUBY, callbacks: ECHO_CALLBACKS)
      CONNECT.call(address: '::1', port: #{listener.addr[1]})
      CONNECT.call(url: 'tcp://[::1]:#{listener.addr[1]}')
    RUBY
    2.times { expect(accept(listener).write('hello').read(5)).to eq('HELLO') }
    listener.close
  end

  it 'reads what the server said before it hung up, and closes after what was written' do
    peer = connect_raw(callbacks: <<~RUBY)
      def on_message(client, data) = log('message', data)
      def on_close(client) = log('close')
      def on_open(client)
        client.write('x' * 3_000_000)
        client.close
      end
    RUBY
    expect(peer.read(3_000_000)).to eq('x' * 3_000_000)
    expect(peer.closed_by_peer?).to be(true)
    expect_told('close')
  end

  it 'has time-outs: ping(client), or the end' do
    pinged = connect_raw(', timeout: 1', callbacks: 'def ping(client) = client.write("still here")')
    expect(pinged.read(10)).to eq('still here')
    @client.stop
    silent = connect_raw(', ping: 1', callbacks: '')
    expect(silent.closed_by_peer?).to be(true)
    expect_told('open raw true', 'close false nil nil')
  end

  it 'is closed when more than max_pending piles up' do
    peer = connect_raw(', max_pending: 1', callbacks: <<~RUBY)
      def on_open(client) = Thread.new { sleep 0.01 while client.write('x' * 500_000) }
    RUBY
    @client.wait_for('max-pending is reached')
    peer.rest
    expect_told('close false nil nil')
  end

  it 'knows its peer' do
    connect_raw(callbacks: 'def on_open(client) = log(client.peer_addr, client.env.inspect, client.timeout)')
    expect_told('127.0.0.1 nil 0')
  end

  it 'has callbacks that never overlap, on any thread' do
    peer = connect_raw(threads: 8, callbacks: <<~RUBY)
      def on_message(client, data)
        log('two at once') if @inside
        @inside = true
        sleep 0.0005
        @inside = false
        client.write(data)
      end
    RUBY
    bytes = (0...200).map { |n| [n].pack('N') }
    bytes.each { |four| peer.write(four) }
    expect(peer.read(800)).to eq(bytes.join)
    expect(told).to eq(['open raw true'])
  end

  describe 'with a socket of one\'s own' do
    it 'calls the callbacks for it, and leaves it to who opened it' do
      boot_client(<<~RUBY, callbacks: ECHO_CALLBACKS)
        require 'socket'
        ours, theirs = UNIXSocket.pair
        log(Iodine.attach_fd(theirs.fileno, Callbacks.new).class)
        theirs.close
        ours.write('hello')
        Iodine.run do
          log('read', ours.readpartial(100))
          ours.close
        end
      RUBY
      eventually(within: 20) { told.size == 5 }
      expect(told).to contain_exactly('Callbacks', 'open raw true', 'message binary hello', 'read HELLO', 'close false nil nil')
    end

    it 'takes it while iodine runs, a TCP one too' do
      listen
      boot_client(<<~RUBY, callbacks: ECHO_CALLBACKS)
        require 'socket'
        Iodine.on_state(:on_start) do
          Iodine.run { $socket = TCPSocket.new('127.0.0.1', #{@port}).tap { |s| Iodine.attach_fd(s.fileno, Callbacks.new) } }
        end
      RUBY
      expect(accept.write('hello').read(5)).to eq('HELLO')
    end

    it 'refuses what is none' do
      boot_client(<<~'RUBY')
        require 'socket'
        def try
          log(yield.inspect)
        rescue StandardError => e
          log("#{e.class}: #{e.message}".sub(/descriptor \d+/, 'descriptor N'))
        end
        try { Iodine.attach_fd(IO.pipe.first.fileno, Callbacks.new) }
        try { Iodine.attach_fd(9999, Callbacks.new) }
        try { Iodine.attach_fd(TCPServer.new('127.0.0.1', 0).fileno, Callbacks.new) }
        try { Iodine.attach_fd('1', Callbacks.new) }
        try { Iodine.attach_fd(UNIXSocket.pair.first.fileno, nil) }
      RUBY
      advice = 'give a connected TCP or Unix socket'
      expect_told("ArgumentError: descriptor N can't be attached: Socket operation on non-socket: #{advice}",
                  "ArgumentError: descriptor N can't be attached: Bad file descriptor: #{advice}",
                  "ArgumentError: descriptor N can't be attached: Transport endpoint is not connected: #{advice}",
                  'TypeError: fd must be an Integer, not String',
                  'ArgumentError: a callbacks object is needed: give handler:')
    end
  end
end
