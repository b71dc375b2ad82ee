# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Subscriptions of a WebSocket' do
  # Runs each message as Ruby, and answers with what came of it.
  EVALUATES = <<~'RUBY'
    def on_open(client) = (@client = client)
    def on_message(client, data)
      client.write("= #{instance_eval(data).inspect}")
    rescue StandardError => e
      client.write("#{e.class}: #{e.message}")
    end
    attr_reader :client
  RUBY

  before(:context) { @server = boot_upgrades(EVALUATES, threads: 4) }

  def run_on(socket, code)
    socket.text(code).receive
  end

  def frame_of(socket)
    socket.read_frame.then { |frame| [frame.opcode, frame.payload.force_encoding('UTF-8')] }
  end

  it 'write what is published to it, natively, as text or binary' do
    socket = connect
    expect(run_on(socket, 'client.subscribe(:text)')).to eq('= :text')
    expect(run_on(socket, 'client.subscribe("bytes", as: :binary)')).to eq('= "bytes"')
    expect(run_on(socket, 'client.subscribe(to: :given, as: :text)')).to eq('= :given')
    expect(run_on(socket, 'client.subscribe(channel: "old")')).to eq('= "old"')
    publisher = connect
    { 'text' => 1, 'bytes' => 2, 'given' => 1, 'old' => 1 }.each do |channel, opcode|
      expect(run_on(publisher, "client.publish(#{channel.inspect}, 'é')")).to eq('= true')
      expect(frame_of(socket)).to eq([opcode, 'é'])
    end
    run_on(publisher, 'client.publish(:text, "\xFF")')
    expect(socket.read_frame.to_a).to eq([2, "\xFF".b, true, 0])
    run_on(publisher, 'client.publish(:text, "")')
    expect(frame_of(socket)).to eq([1, ''])
  end

  it 'reach the publisher too, before what it writes behind' do
    socket = connect
    run_on(socket, 'client.subscribe(:mine)')
    socket.text('client.publish(:mine, "one"); client.publish(:mine, "two")')
    expect(Array.new(3) { socket.receive }).to eq(['one', 'two', '= true'])
    socket.text('client.write("a"); client.publish(:mine, "b"); client.write("c"); client.publish(:mine, "d")')
    expect(Array.new(5) { socket.receive }).to eq(['a', 'b', 'c', 'd', '= true'])
  end

  it 'call a block, with channel and message, on the strand' do
    socket = connect
    run_on(socket, <<~'RUBY')
      client.subscribe(:block) { |channel, message| client.write([channel, channel.encoding, message, message.encoding].join(' ')) }
    RUBY
    run_on(socket, 'client.subscribe(:handler, handler: ->(channel, message) { client.write(["handler", channel, message].join(" ")) })')
    run_on(socket, 'client.subscribe(:method, handler: Class.new { define_method(:call) { |*a| a.first } }.new)')
    publisher = connect
    run_on(publisher, 'client.publish("block", "é"); client.publish(:block, "\xFF".b)')
    expect(socket.receive).to eq('block UTF-8 é UTF-8')
    expect(socket.read_frame.payload).to eq("block UTF-8 \xFF ASCII-8BIT".b)
    run_on(publisher, 'client.publish("handler", "x")')
    expect(socket.receive).to eq('handler handler x')
  end

  it 'match patterns with match: :redis' do
    socket = connect
    expect(run_on(socket, 'client.subscribe("room.*", match: :redis)')).to eq('= "room.*"')
    run_on(socket, 'client.subscribe("[ab]?", match: :redis) { |channel, message| client.write([channel, message].join(":")) }')
    publisher = connect
    %w[room.1 room. rooms a1 c1 room.* b2].each { |name| run_on(publisher, "client.publish(#{name.inspect}, #{name.inspect})") }
    expect(Array.new(5) { socket.receive }).to contain_exactly('room.1', 'room.', 'a1:a1', 'room.*', 'b2:b2')
    expect(run_on(socket, 'client.subscribe("*", match: :other)')).to start_with('ArgumentError: match')
    run_on(socket, 'client.subscribe("plain*")')
    run_on(publisher, 'client.publish("plainly", "no"); client.publish("plain*", "yes")')
    expect(socket.receive).to eq('yes')
  end

  it 'replace what was there of the same name' do
    socket = connect
    publisher = connect
    run_on(socket, 'client.subscribe(:again)')
    run_on(socket, 'client.subscribe(:again) { |_, message| client.write("block " + message) }')
    run_on(publisher, 'client.publish(:again, "1")')
    expect(socket.receive).to eq('block 1')
    run_on(socket, 'client.subscribe("again", as: :binary)')
    run_on(publisher, 'client.publish(:again, "2")')
    expect(frame_of(socket)).to eq([2, '2'])
    run_on(socket, 'client.subscribe("again", match: :redis)') # another one: it is a pattern
    run_on(publisher, 'client.publish(:again, "3")')
    expect([frame_of(socket), frame_of(socket)]).to contain_exactly([2, '3'], [1, '3'])
  end

  it 'end with unsubscribe, which tells whether there was one' do
    socket = connect
    publisher = connect
    run_on(socket, 'client.subscribe(:short); client.subscribe("short", match: :redis); client.subscribe(:long)')
    expect(run_on(socket, 'client.unsubscribe("short")')).to eq('= true')
    expect(run_on(socket, 'client.unsubscribe(:short)')).to eq('= false')
    expect(run_on(socket, 'client.unsubscribe(:never)')).to eq('= false')
    run_on(socket, 'client.subscribe(:block) { client.write("no") }')
    expect(run_on(socket, 'client.unsubscribe(:block)')).to eq('= true')
    run_on(publisher, '%i[short block long].each { |name| client.publish(name, "x") }')
    expect(frame_of(socket)).to eq([1, 'x'])
    expect(run_on(socket, '1')).to eq('= 1')
  end

  it 'end with the connection' do
    socket = connect
    run_on(socket, 'client.subscribe(:gone) { |_, message| log("told", message) }; $gone = client')
    socket.close
    socket.closing
    publisher = connect
    eventually { run_on(publisher, '$gone.open?') == '= false' }
    expect(run_on(publisher, 'client.publish(:gone, "x"); [$gone.subscribe(:x), $gone.unsubscribe(:gone)]')).to eq('= [nil, false]')
    expect(logged.grep(/told/)).to eq([])
  end

  {
    'client.subscribe' => 'ArgumentError: the name of a channel is missing',
    'client.subscribe(5)' => 'TypeError: a channel\'s name must be a String or a Symbol, not Integer',
    'client.subscribe(:a, :b)' => 'ArgumentError: subscribe takes one name, not 2',
    'client.subscribe(:a, colour: 1)' => 'ArgumentError: subscribe doesn\'t know :colour',
    'client.subscribe(:a, as: :image)' => 'ArgumentError: as: :image is unknown',
    'client.subscribe(:a, handler: 5)' => 'TypeError: the handler of a subscription must respond to call',
    'client.unsubscribe(nil)' => 'ArgumentError: the name of a channel is missing',
    'client.publish(:a)' => 'ArgumentError: ',
    'client.publish(:a, nil)' => 'ArgumentError: the message is missing',
    'client.publish(:a, 5)' => 'TypeError: a message must be a String, not Integer',
    'client.publish(nil, "x")' => 'ArgumentError: the name of a channel is missing'
  }.each do |code, error|
    it("refuse #{code}") { expect(run_on(connect, code)).to start_with(error) }
  end

  it 'are served in order, to many, while they come and go' do
    sockets = Array.new(20) { connect }
    sockets.each { |socket| run_on(socket, 'client.subscribe(:many)') }
    publisher = connect
    run_on(publisher, '500.times { |n| client.publish(:many, n.to_s) }')
    sockets.each { |socket| expect(Array.new(500) { socket.receive }).to eq((0...500).map(&:to_s)) }
    stay, leave = sockets.partition.with_index { |_, n| n.even? }
    leave.each(&:hang_up)
    stay.each { |socket| expect(run_on(socket, 'client.unsubscribe(:many)')).to eq('= true') }
    run_on(publisher, 'client.publish(:many, "last")')
    expect(run_on(sockets.first, '1')).to eq('= 1')
  end

  it 'hear what is published right behind them, in on_open' do
    server = boot_upgrades(<<~RUBY)
      def on_open(client)
        client.subscribe(:early)
        client.publish(:early, 'early')
        client.write('open')
      end
    RUBY
    socket = connect(server: server)
    expect([socket.receive, socket.receive]).to eq(%w[early open])
  end

  it 'of a thousand channels are each one\'s own' do
    socket = connect
    run_on(socket, '1000.times { |n| client.subscribe("channel %d" % n) { |*told| client.write(told.join(" ")) } }')
    run_on(connect, '1000.times { |n| client.publish("channel %d" % n, n.to_s) if n % 100 == 7 }')
    expect(Array.new(10) { socket.receive }).to eq((0...10).map { |n| "channel #{(n * 100) + 7} #{(n * 100) + 7}" })
    expect(run_on(socket, '(0...1000).count { |n| client.unsubscribe("channel %d" % n) }')).to eq('= 1000')
  end
end
