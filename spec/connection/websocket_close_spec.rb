# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'The end of a WebSocket' do
  # Closes when it is told to with what it is told, and tells how it ended.
  ENDS = <<~'RUBY'
    def on_message(client, data)
      log 'before', client.close_code.inspect, client.close_reason.inspect
      word, code, reason = data.split(':', 3)
      return client.write(data) unless word == 'close'
      log client.close(*[code && Integer(code), reason].compact).inspect
      log client.open?, client.write('after').inspect, client.pending, client.close(4999).inspect
    rescue StandardError => e
      client.write("#{e.class}: #{e.message}")
    end
    def on_close(client) = log(client.env['PATH_INFO'], client.close_code.inspect, client.close_reason.inspect, client.open?, client.write('x').inspect)
  RUBY

  # Gives how the WebSocket that the block opens with `meet` has ended: code and reason.
  def ending
    @path = "/#{SecureRandom.hex(8)}"
    yield
    told = eventually { logged.grep(/\A#{@path} /).first }
    told[/\A#{@path} (.*) false nil\z/, 1]
  end

  # The peer's close; then the client is gone, so that nobody waits for it.
  def goodbye(socket)
    socket.closing.tap { socket.hang_up }
  end

  def meet(...)
    connect(@path, ...)
  end

  context 'with one server' do
    before(:context) { @server = boot_upgrades(ENDS, listen: 'max_pending: 1, max_msg: 100') }

    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].each do |code|
      it "by the client with #{code} is answered with that, and told" do
        told = ending do
          socket = meet.close(code, 'bye ☃')
          expect(socket.closing).to eq([code, ''])
          expect(socket.over?).to be(true)
        end
        expect(told).to eq("#{code} \"bye ☃\"")
      end
    end

    [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].each do |code|
      it "by the client with #{code} is a mistake: 1002" do
        told = ending { expect(goodbye(meet.close(code, 'bye'))).to eq([1002, '']) }
        expect(told).to eq('1002 nil')
      end
    end

    it 'by the client without a code is answered without, and is 1005' do
      expect(ending { expect(goodbye(meet.close(nil))).to eq([nil, '']) }).to eq('1005 nil')
    end

    it 'by the client with half a code, or a reason that is no UTF-8, is a mistake' do
      expect(ending { expect(goodbye(meet.frame(8, "\x03"))).to eq([1002, '']) }).to eq('1002 nil')
      expect(ending { expect(goodbye(meet.close(1000, "\xFF"))).to eq([1007, '']) }).to eq('1007 nil')
    end

    it 'by the client may have a reason of 123 bytes' do
      expect(ending { expect(goodbye(meet.close(1000, 'r' * 123))).to eq([1000, '']) }).to eq("1000 \"#{'r' * 123}\"")
    end

    it 'leaves what comes behind the client\'s close unread' do
      socket = connect
      frames = [[8, [1000].pack('n')], [8, [1001].pack('n')], [9, 'ping'], [1, 'text'], [3, 'bad']]
      socket.write(frames.map { |frame| Support::WebSocket.frame(*frame) }.join)
      expect(socket.closing).to eq([1000, ''])
      expect(socket.over?).to be(true)
    end

    it 'comes within a message of fragments, too' do
      expect(goodbye(connect.frame(1, 'half', fin: false).close)).to eq([1000, ''])
    end

    it 'by the application tells the client code and reason, and the application what the client answered' do
      { 'close' => [1000, ''], 'close:1001' => [1001, ''], 'close:4001:☃ snow' => [4001, '☃ snow'], 'close:3000:' => [3000, ''] }
        .each do |word, said|
          told = ending do
            socket = meet.text(word)
            expect(socket.closing).to eq(said)
            socket.close(said.first, 'as you like')
            expect(socket.over?).to be(true)
            socket.hang_up
          end
          expect(told).to eq("#{said.first} \"as you like\"")
        end
      expect(logged).to include('before nil nil', 'nil', 'false nil -1 nil')
    end

    it 'by the application with a reason of too many bytes has as many whole characters as fit' do
      socket = connect.text("close:1000:#{'a' * 122}é")
      expect(socket.closing).to eq([1000, 'a' * 122])
      expect(goodbye(connect.text("close:1000:#{'é' * 500}"))).to eq([1000, 'é' * 61])
    end

    it 'by the application takes no code that is none' do
      socket = connect
      [-1, 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_536, 65_536 + 1000].each do |code|
        expect(socket.text("close:#{code}").receive)
          .to eq("ArgumentError: #{code} is no close code: give 1000 to 1003, 1007 to 1014 or 3000 to 4999")
      end
      expect(socket.text('still here').receive).to eq('still here')
    end

    it 'by both at once is one' do
      told = ending do
        socket = meet(early: Support::WebSocket.frame(1, 'close:4000') + Support::WebSocket.frame(8, [4001].pack('n')))
        expect(socket.closing.first).to be_between(4000, 4001)
        expect(socket.over?).to be(true)
      end
      expect(told).to match(/\A(4000|4001|1006) nil\z/)
    end

    it 'that the client doesn\'t answer is 1006' do
      told = ending do
        socket = meet.text('close:4001')
        expect(socket.closing).to eq([4001, ''])
        socket.hang_up
      end
      expect(told).to eq('1006 nil')
    end

    it 'without a goodbye is 1006: by FIN, by RST, in the middle of a frame' do
      expect(ending { meet.hang_up }).to eq('1006 nil')
      expect(ending { meet.raw.reset }).to eq('1006 nil')
      expect(ending { meet.write("\x81\xFF\0").hang_up }).to eq('1006 nil')
      expect(ending { meet.text('x').tap(&:receive).raw.reset }).to eq('1006 nil')
    end

    it 'by half a close is answered: what came before is heard, then comes a close' do
      told = ending do
        socket = meet.text('a').text('b')
        socket.raw.shut
        expect([socket.receive, socket.receive, socket.closing]).to eq(['a', 'b', [1000, '']])
        expect(socket.over?).to be(true)
      end
      expect(told).to eq('1006 nil')
    end

    it 'by a mistake is told with the code that the client got' do
      expect(ending { expect(goodbye(meet.frame(3))).to eq([1002, '']) }).to eq('1002 nil')
      expect(ending { expect(goodbye(meet.frame(1, "\xFF"))).to eq([1007, '']) }).to eq('1007 nil')
      expect(ending { expect(goodbye(meet.frame(1, '', length: 102_401))).to eq([1009, '']) }).to eq('1009 nil')
    end
  end

  it 'waits for what is pending' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, _data)
        30.times { client.write('x' * 100_000) }
        client.close(1001, 'done')
      end
      def on_close(client) = log('ended', client.close_code)
    RUBY
    socket = connect.text('go')
    expect(Array.new(30) { socket.receive.bytesize }).to eq([100_000] * 30)
    expect(socket.closing).to eq([1001, 'done'])
    socket.close(1001)
    expect(socket.over?).to be(true)
    eventually { logged == ['ended 1001'] }
  end

  it 'comes after five seconds when the client doesn\'t answer a close' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, _data) = client.close(4000)
      def on_close(client) = log('ended', client.close_code)
    RUBY
    socket = connect(timeout: 10).text('go')
    expect(socket.closing).to eq([4000, ''])
    socket.text('not an answer')
    expect(socket.over?).to be(true)
    eventually { logged == ['ended 1006'] }
  end

  it 'at a graceful stop is 1001, behind on_shutdown and what that writes' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, data) = client.write(data)
      def on_shutdown(client)
        log 'shutdown', client.open?
        client.write('bye' * 100_000)
        client.defer { client.write('deferred') }
      end
      def on_close(client) = log('ended', client.close_code.inspect)
    RUBY
    sockets = Array.new(3) { connect }
    sockets.each { |socket| expect(socket.text('x').receive).to eq('x') }
    @server.kill(:TERM)
    sockets.each do |socket|
      expect([socket.receive, socket.receive, socket.closing]).to eq(['bye' * 100_000, 'deferred', [1001, '']])
      socket.close(1001)
      expect(socket.over?).to be(true)
    end
    expect(@server.wait.success?).to be(true)
    expect(logged).to match_array((['shutdown true'] * 3) + (['ended 1001'] * 3))
  end

  it 'at a graceful stop comes without on_shutdown as well, and without an answer of the client' do
    @server = boot_upgrades('def on_close(client) = log("ended", client.close_code.inspect)', setup: <<~RUBY)
      Iodine::DEFAULT_SETTINGS[:shutdown_timeout] = 1
    RUBY
    socket = connect
    @server.kill(:TERM)
    expect(socket.closing).to eq([1001, ''])
    expect(@server.wait.success?).to be(true)
    expect(logged).to eq(['ended 1006'])
  end

  it 'is one on_close for each, whatever ended it' do
    @server = boot_upgrades(<<~RUBY, threads: 8)
      def on_open(client) = log('open', client.object_id)
      def on_message(client, data) = data == 'close' ? client.close : client.write(data)
      def on_close(client) = log('close', client.object_id)
    RUBY
    ways = [:hang_up, ->(s) { s.raw.reset }, ->(s) { s.text('close') }, lambda(&:close), ->(s) { s.frame(3) },
            ->(s) { s.text('close').close.text('x').raw.reset }, ->(s) { s.text('x').raw.shut }]
    sockets = Array.new(210) { connect }
    sockets.each_with_index { |socket, n| ways[n % ways.size].to_proc.call(socket) }
    sockets.each { |socket| socket.raw.close }
    eventually { logged.grep(/close/).size == 210 }
    sleep 0.2
    expect(logged.size).to eq(420)
    expect(logged.grep(/close/).uniq.size).to eq(210)
  end
end
