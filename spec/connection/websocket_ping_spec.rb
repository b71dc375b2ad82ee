# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Pings of a WebSocket' do
  def await_ping(socket)
    frame = socket.read_frame
    expect(frame.to_a).to eq([9, '', true, 0])
  end

  context 'by the client' do
    before(:context) do
      @server = boot_upgrades(<<~RUBY)
        def on_message(client, data) = client.write(data)
        def ping(client) = log('ping')
      RUBY
    end

    it 'are answered with what they hold, without Ruby' do
      socket = connect
      ['', 'x', "\0\xFF", 'p' * 125].each do |payload|
        socket.ping(payload)
        expect(socket.read_frame.to_a).to eq([10, payload.b, true, 0])
      end
      20.times { |n| socket.ping(n.to_s) }
      expect(Array.new(20) { socket.read_frame.payload }).to eq((0...20).map(&:to_s))
    end

    it 'may come byte by byte' do
      socket = connect
      Support::WebSocket.frame(9, 'slow').each_char { |byte| socket.write(byte) }
      expect(socket.read_frame.payload).to eq('slow')
    end

    it 'that nobody asked for, pongs, are left alone' do
      socket = connect.pong.pong('unasked').ping('now')
      expect(socket.read_frame.to_a).to eq([10, 'now', true, 0])
    end
  end

  it 'are answered while the only thread of the application is busy' do
    gate = File.join(work_dir, 'open')
    @server = boot_upgrades(<<~RUBY, threads: 1)
      def on_message(client, _data)
        sleep 0.01 until File.exist?('#{gate}')
        client.write('free')
      end
    RUBY
    socket = connect.text('block').ping('still there?')
    expect(socket.read_frame.payload).to eq('still there?')
    File.write(gate, '')
    expect(socket.receive).to eq('free')
  end

  it 'go out after ping: seconds of silence, and who answers stays' do
    @server = boot_upgrades(<<~RUBY, listen: 'ping: 1')
      def ping(client) = log('ping')
      def on_close(client) = log('closed')
    RUBY
    socket = connect
    3.times do
      await_ping(socket)
      socket.pong
    end
    expect(logged).to eq([])
  end

  it 'close who doesn\'t answer the next time either, and tell 1006' do
    @server = boot_upgrades('def on_close(client) = log("closed", client.close_code)', listen: 'ping: 1')
    socket = connect
    await_ping(socket)
    expect(socket.raw.rest).to eq('')
    eventually { logged == ['closed 1006'] }
  end

  it 'are not needed while messages come, and any message is an answer' do
    @server = boot_upgrades(ConnectionApp::ECHO, listen: 'ping: 1')
    socket = connect
    8.times do
      sleep 0.3
      expect(socket.text('here').read_frame.payload).to eq('here')
    end
    await_ping(socket)
    socket.text('an answer')
    expect(socket.read_frame.payload).to eq('an answer')
    await_ping(socket)
  end

  it 'are sent by timeout= as well, 0 to 255 seconds, and with 0 never' do
    @server = boot_upgrades(<<~'RUBY')
      def on_open(client) = client.write(client.timeout.to_s)
      def on_message(client, data)
        client.timeout = Integer(data)
        client.write(client.timeout.to_s)
      rescue RangeError => e
        client.write(e.message)
      end
    RUBY
    socket = connect
    expect(socket.receive).to eq('40')
    expect(socket.text('256').receive).to eq('timeout is 256: give a number of seconds from 0 to 255')
    expect(socket.text('1').receive).to eq('1')
    await_ping(socket)
    expect(socket.text('0').receive).to eq('0')
    expect(socket.raw.read_some(within: 1.5)).to eq('')
  end

  it 'are off with ping: 0' do
    @server = boot_upgrades('def on_open(client) = client.write(client.timeout.to_s)', listen: 'ping: 0')
    expect(connect.receive).to eq('0')
  end

  it 'are a matter of the option, not of the time that HTTP connections may be idle' do
    @server = boot_upgrades('', listen: 'timeout: 1, ping: 0')
    expect(connect.raw).not_to be_closed_by_peer(1.6)
  end

  it 'find who doesn\'t read' do
    @server = boot_upgrades(<<~RUBY, listen: 'ping: 1')
      def on_open(client) = 30.times { client.write('x' * 100_000) }
      def on_close(client) = log('closed', client.close_code)
    RUBY
    connect
    eventually { logged == ['closed 1006'] }
  end
end
