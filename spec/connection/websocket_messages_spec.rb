# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Messages of a WebSocket' do
  context 'that echoes' do
    # Tells what it got, and sends it back.
    before(:context) do
      @server = boot_upgrades(<<~RUBY, listen: 'max_msg: 1024')
        def on_message(client, data)
          log data.encoding, data.valid_encoding?, data.frozen?, data.bytesize
          client.write(data)
        end
      RUBY
    end

    # The server is there for all examples.
    def last_logged
      logged.last
    end

    it 'are UTF-8 as text, binary else, whatever they hold' do
      socket = connect
      expect(socket.text('é ☃ 🦊').receive).to eq('é ☃ 🦊')
      expect(last_logged).to eq('UTF-8 true false 11')
      expect(socket.binary('é').receive).to eq("\xC3\xA9".b)
      expect(last_logged).to eq('ASCII-8BIT true false 2')
      bytes = (0..255).to_a.pack('C*') * 3
      expect(socket.binary(bytes).receive).to eq(bytes)
      expect(socket.text("a\0b\r\n").receive).to eq("a\0b\r\n")
    end

    it 'may be empty' do
      socket = connect
      expect(socket.text('').receive).to eq('')
      expect(last_logged).to eq('UTF-8 true false 0')
      socket.binary('')
      expect(socket.read_frame.to_a).to eq([2, '', true, 0])
      expect(last_logged).to eq('ASCII-8BIT true false 0')
      expect(socket.fragments(1, '', '', '').receive).to eq('')
    end

    it 'keep their length, with the shortest head' do
      socket = connect
      [1, 2, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000, 1024 * 1024].each do |size|
        text = (('a'..'z').to_a.join * ((size / 26) + 1))[0, size]
        expect(socket.text(text).receive).to eq(text)
        expect(socket.binary(text).receive).to eq(text.b)
      end
      { 125 => 2, 126 => 4, 65_535 => 4, 65_536 => 10 }.each do |size, head|
        raw = socket.binary('x' * size).raw
        expect(raw.read(head + size)[head..]).to eq('x' * size)
      end
    end

    it 'keep their order, many at once' do
      socket = connect
      socket.write((0...3000).map { |n| Support::WebSocket.frame(1, n.to_s) }.join)
      expect(Array.new(3000) { socket.receive }).to eq((0...3000).map(&:to_s))
    end

    it 'may come a byte at a time, and cut anywhere' do
      socket = connect
      frames = Support::WebSocket.frame(1, 'é' * 70) + Support::WebSocket.frame(2, 'b' * 5) + Support::WebSocket.frame(9, 'p')
      frames.each_char { |byte| socket.write(byte) }
      expect([socket.receive, socket.receive]).to eq(['é' * 70, 'b' * 5])
      (1...frames.bytesize).each { |cut| socket.write(frames.byteslice(0, cut)).write(frames.byteslice(cut..)) }
      count = frames.bytesize - 1
      expect(Array.new(count * 2) { socket.receive }).to eq(['é' * 70, 'b' * 5] * count)
      expect(socket.text('end').receive).to eq('end')
      expect(socket.pongs).to eq(['p'] * frames.bytesize)
    end

    it 'may come in fragments, cut within characters, with control frames between' do
      socket = connect
      text = 'añb☃c🦊d'
      bytes = text.bytes.map(&:chr)
      expect(socket.fragments(1, *bytes).receive).to eq(text)
      bytes.each_with_index do |byte, n|
        socket.frame(n.zero? ? 1 : 0, byte, fin: n == bytes.size - 1)
        socket.ping(n.to_s) unless n == bytes.size - 1
        socket.pong('unasked')
      end
      expect(socket.receive).to eq(text)
      expect(socket.pongs).to eq((0..(bytes.size - 2)).map(&:to_s))
      expect(socket.fragments(2, 'a', '', 'b').receive).to eq('ab')
    end

    it 'are unmasked with any key' do
      socket = connect
      ["\0\0\0\0", "\xFF\xFF\xFF\xFF", "\x00\x01\x02\x03", "\x80\x00\x7F\xFF"].each do |mask|
        (0..20).each { |size| expect(socket.frame(1, 'x' * size, mask: mask.b).receive).to eq('x' * size) }
      end
    end

    [
      ['a frame that is not masked', 1002, [1, 'x'], { mask: nil }],
      ['a reserved bit', 1002, [1, 'x'], { rsv: 1 }],
      ['another reserved bit', 1002, [1, 'x'], { rsv: 2 }],
      ['a compressed frame, which was not agreed on', 1002, [1, 'x'], { rsv: 4 }],
      ['a length in more bytes than it takes', 1002, [1, 'x'], { bytes: 2 }],
      ['a length in far more bytes than it takes', 1002, [1, 'x' * 300], { bytes: 8 }],
      ['a length of 2**63', 1002, [1, 'x'], { length: 2**63 }],
      ['a control frame of 126 bytes', 1002, [9, 'x' * 126], {}],
      ['a fragmented ping', 1002, [9, 'x'], { fin: false }],
      ['a fragmented close', 1002, [8, [1000].pack('n')], { fin: false }],
      ['a continuation of nothing', 1002, [0, 'x'], {}],
      ['a fragmented continuation of nothing', 1002, [0, 'x'], { fin: false }],
      *[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map { |opcode| ["the opcode #{opcode}", 1002, [opcode, 'x'], {}] },
      ['text that is not UTF-8', 1007, [1, "a\xFF"], {}],
      ['text that ends within a character', 1007, [1, "a\xE2\x98"], {}],
      ['an overlong character', 1007, [1, "\xC0\x80"], {}],
      ['half a surrogate pair', 1007, [1, "\xED\xA0\x80"], {}],
      ['a character past U+10FFFF', 1007, [1, "\xF4\x90\x80\x80"], {}],
      ['a message that is too large', 1009, [2, 'x' * 10], { length: (1024 * 1024) + 1 }],
      ['a message of 2**62 bytes', 1009, [2, 'x' * 10], { length: 2**62 }]
    ].each do |what, code, arguments, options|
      it "refuse #{what} with #{code}, after what came before" do
        socket = connect
        socket.write(Support::WebSocket.frame(1, 'before') + Support::WebSocket.frame(*arguments, **options))
        socket.write(Support::WebSocket.frame(1, 'behind'))
        expect(socket.receive).to eq('before')
        expect(socket.closing).to eq([code, ''])
        socket.raw.shut
        expect(socket.raw.rest).to eq('')
      end
    end

    it 'refuse a new message within another' do
      expect(connect.frame(1, 'a', fin: false).frame(1, 'b').closing).to eq([1002, ''])
      expect(connect.frame(2, 'a', fin: false).frame(2, 'b', fin: false).closing).to eq([1002, ''])
    end

    it 'refuse invalid text at once, not only at its end' do
      socket = connect.frame(1, 'valid', fin: false).frame(0, "\xC3", fin: false)
      expect(socket.raw.read_some(within: 0.1)).to eq('')
      expect(socket.frame(0, '(', fin: false).closing).to eq([1007, ''])
      head = Support::WebSocket.frame(1, "ab\xFFcdef", mask: "\0\0\0\0").byteslice(0, 9)
      expect(connect.write(head).closing).to eq([1007, ''])
    end

    it 'refuse a large message so that its sender hears why, though it goes on sending' do
      socket = connect
      socket.frame(2, 'x' * 4_000_000)
      expect(socket.closing).to eq([1009, ''])
      expect(socket.over?).to be(true)
    end

    it 'are answered before the close that comes behind them' do
      closing = Support::WebSocket.frame(8, [1000].pack('n'))
      socket = connect(early: Support::WebSocket.frame(1, 'last words') + closing)
      expect(socket.receive).to eq('last words')
      expect(socket.closing).to eq([1000, ''])
      expect(socket.over?).to be(true)
    end

    it 'refuse fragments that are too large together, as soon as a head says so' do
      socket = connect
      16.times { |n| socket.frame(n.zero? ? 2 : 0, 'x' * 65_536, fin: false) }
      expect(socket.frame(0, '', fin: false).raw.read_some(within: 0.1)).to eq('')
      expect(socket.frame(0, 'x', fin: false).closing).to eq([1009, ''])
    end
  end

  it 'are 250 KB at most where nothing else is said' do
    @server = boot_upgrades(ConnectionApp::ECHO)
    expect(connect.binary('x' * 256_000).receive.bytesize).to eq(256_000)
    expect(connect.frame(2, 'x', length: 256_001).closing).to eq([1009, ''])
  end

  it 'of those without on_message are read and dropped' do
    @server = boot_upgrades('def on_open(client) = client.write("open")')
    socket = connect
    200.times { socket.binary('x' * 100_000) }
    expect(socket.ping('x').receive).to eq('open')
    expect(socket.read_frame.to_a).to eq([10, 'x', true, 0])
  end

  it 'that are written go as text if they are valid UTF-8 or ASCII, else as binary; the String stays as it was' do
    @server = boot_upgrades(<<~'RUBY')
      def on_open(client)
        latin = 'é'.encode('ISO-8859-1')
        [+'é', 'a'.encode('US-ASCII'), 'é'.b, +"\xFF", latin, 'é'.encode('UTF-16LE'), :symbol, 12, nil, '',
         ['a'].freeze].each { |data| log client.write(data) }
        log latin.encoding
      end
    RUBY
    socket = connect
    frames = Array.new(11) { socket.read_frame }
    expect(frames.map(&:opcode)).to eq([1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1])
    expect(frames.map(&:payload)).to eq(['é'.b, 'a', 'é'.b, "\xFF".b, "\xE9".b, "\xE9\0".b, 'symbol', '12', '', '', '["a"]'])
    eventually { logged == (['true'] * 11) + ['ISO-8859-1'] }
  end

  it 'that are written from any thread keep the order of each' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, _data)
        Array.new(8) { |t| Thread.new { 500.times { |n| client.write("\#{t} \#{n}") } } }
      end
    RUBY
    socket = connect.text('go')
    got = Array.new(4000) { socket.receive.split.map(&:to_i) }
    8.times { |t| expect(got.select { |(from, _)| from == t }.map(&:last)).to eq((0...500).to_a) }
  end

  it 'are the application\'s to change, before and after' do
    @server = boot_upgrades(<<~RUBY)
      def on_message(client, data)
        data << '!'
        client.write(data)
        data.replace('x' * 1_000_000)
        client.write(data)
        data.replace('y' * 1_000_000)
        client.write(data)
      end
    RUBY
    socket = connect.text('hello')
    expect(Array.new(3) { socket.receive }).to eq(['hello!', 'x' * 1_000_000, 'y' * 1_000_000])
  end
end
