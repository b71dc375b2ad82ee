# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Compressed WebSockets' do
  WORDS = (%w[the quick brown fox jumps over the lazy dog] * 40).join(' ').freeze

  def extensions(offer)
    connect('/', { 'sec-websocket-extensions' => offer }).response['sec-websocket-extensions']
  end

  context 'with one server' do
    before(:context) { @server = boot_upgrades(ConnectionApp::ECHO, listen: 'max_msg: 1024') }

    it 'are agreed on when the client offers it, without a context of the server\'s' do
      expect(extensions('permessage-deflate')).to eq('permessage-deflate; server_no_context_takeover; client_no_context_takeover')
      expect(extensions('x-other, permessage-deflate; client_max_window_bits'))
        .to match(/\Apermessage-deflate; server_no_context_takeover; client_no_context_takeover/)
      expect(extensions('permessage-deflate; server_max_window_bits=10')).to include('server_max_window_bits=10')
      expect(extensions('permessage-deflate; client_max_window_bits=10')).to match(/client_max_window_bits=(8|9|10)\z/)
      expect(extensions('permessage-deflate; server_max_window_bits="12"')).to include('server_max_window_bits=12')
      expect(extensions(%w[x-a permessage-deflate])).to start_with('permessage-deflate')
    end

    it 'take the first offer that can be kept, and decline the others' do
      expect(extensions('permessage-deflate; server_max_window_bits=8, permessage-deflate')).to start_with('permessage-deflate; server_no')
      ['permessage-deflate; server_max_window_bits=8', 'permessage-deflate; server_max_window_bits=16', 'x-webkit-deflate-frame',
       'permessage-deflate; unknown', 'permessage-deflate; server_no_context_takeover=1', 'permessage-deflate; client_max_window_bits=7',
       'permessage-deflate; server_no_context_takeover; server_no_context_takeover', 'permessage-deflate; server_max_window_bits',
       'permessage-deflate; server_max_window_bits=09', 'permessage-bzip2', ''].each { |offer| expect(extensions(offer)).to be_nil }
    end

    ['', 'server_no_context_takeover', 'client_no_context_takeover', 'client_max_window_bits', 'client_max_window_bits=9',
     'client_max_window_bits=8', 'server_max_window_bits=9', 'server_max_window_bits=15; client_max_window_bits=15',
     'server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; client_max_window_bits=12']
      .each do |offer|
      it "echo messages of all sizes with #{offer.empty? ? 'no parameter' : offer}" do
        socket = connect(deflate: offer)
        ['', 'x', 'é', WORDS, WORDS * 30, 'a' * 70_000, 'a' * 1_000_000].each do |text|
          expect(socket.text(text).receive).to eq(text)
        end
        bytes = Random.bytes(50_000)
        expect(socket.binary(bytes).receive).to eq(bytes)
        expect(socket.fragments(1, 'plain', 'fragments').receive).to eq('plainfragments')
      end
    end

    it 'save bytes where that is worth it' do
      socket = connect(deflate: '')
      frame = socket.text(WORDS).read_frame
      expect([frame.rsv, frame.payload.bytesize < WORDS.bytesize / 10]).to eq([4, true])
      expect(socket.text('short').read_frame.to_a).to eq([1, 'short', true, 0])
    end

    it 'take compressed messages in fragments, cut anywhere, with control frames between' do
      socket = connect(deflate: '')
      bytes = socket.deflate.deflate(WORDS)
      [1, 7, bytes.bytesize / 2].each do |size|
        pieces = bytes.scan(/.{1,#{size}}/mn)
        pieces.each_with_index do |piece, n|
          socket.frame(n.zero? ? 1 : 0, piece, rsv: n.zero? ? 4 : 0, fin: n == pieces.size - 1)
          socket.ping if n.zero?
        end
        expect(socket.receive).to eq(WORDS)
      end
      socket.frame(1, bytes, rsv: 4, fin: false).frame(0, '', fin: true)
      expect(socket.receive).to eq(WORDS)
      Support::WebSocket.frame(1, bytes, rsv: 4).each_char { |byte| socket.write(byte) }
      expect(socket.receive).to eq(WORDS)
    end

    it 'take every kind of block, and one that ends the stream' do
      socket = connect(deflate: 'client_no_context_takeover')
      stored = "\x00\x05\x00\xFA\xFFhello\x00".b
      finished = "#{Zlib::Deflate.new(9, -15).deflate('hello', Zlib::FINISH)}\0"
      two = Zlib::Deflate.new(9, -15).then { |z| z.deflate('hel', Zlib::SYNC_FLUSH) + z.deflate('lo', Zlib::SYNC_FLUSH) }
      [stored, finished, two.delete_suffix("\0\0\xFF\xFF".b)].each do |payload|
        expect(socket.frame(1, payload, rsv: 4).receive).to eq('hello')
      end
    end

    it 'are limited as they are when inflated' do
      socket = connect(deflate: '')
      socket.text('a' * 1024 * 1024)
      expect(socket.receive.bytesize).to eq(1024 * 1024)
      expect(socket.text('a' * ((1024 * 1024) + 1)).closing).to eq([1009, ''])
      bomb = connect(deflate: '')
      expect(bomb.text("\0" * 100_000_000).closing).to eq([1009, ''])
    end

    {
      'a bit that says so in a continuation' => [1002, ->(s) { s.frame(1, 'a', fin: false).frame(0, 'b', rsv: 4) }],
      'a compressed ping' => [1002, ->(s) { s.frame(9, 'x', rsv: 4) }],
      'another reserved bit' => [1002, ->(s) { s.frame(1, 'x', rsv: 6) }],
      'what is no deflate' => [1007, ->(s) { s.frame(1, "\xFF\xFF\xFF\xFF", rsv: 4) }],
      'a stored block that lies' => [1007, ->(s) { s.frame(1, "\x00\x05\x00\x00\x00hello\x00", rsv: 4) }],
      'text that inflates to no UTF-8' => [1007, ->(s) { s.frame(1, s.deflate.deflate("\xFF\xFE"), rsv: 4) }]
    }.each do |what, (code, action)|
      it("refuse #{what} with #{code}") { expect(action.call(connect(deflate: '')).closing).to eq([code, '']) }
    end

    it 'keep no window of the client between messages, however many they are' do
      sockets = Array.new(200) { connect(deflate: 'client_max_window_bits') }
      sockets.each { |socket| expect(socket.text('warm').receive).to eq('warm') }
      before = @server.rss
      sockets.each { |socket| expect(socket.text(WORDS).receive).to eq(WORDS) }
      expect(@server.rss - before).to be < 4_000_000 * Support::Deadline::SLOWER # 200 windows of 32 KB alone are more
    end
  end

  it 'are not agreed on with deflate: false' do
    @server = boot_upgrades(ConnectionApp::ECHO, listen: 'deflate: false')
    expect(extensions('permessage-deflate')).to be_nil
    socket = connect('/', { 'sec-websocket-extensions' => 'permessage-deflate' })
    expect(socket.text('a' * 1000).read_frame.to_a).to eq([1, 'a' * 1000, true, 0])
  end

  it 'get what is published compressed once for all who share a window' do
    @server = boot_upgrades(<<~RUBY)
      def on_open(client)
        client.subscribe(:news)
        client.write('open')
      end
      def on_message(client, data) = client.publish(:news, data)
    RUBY
    offers = [nil, '', 'server_max_window_bits=9', 'server_max_window_bits=12']
    sockets = offers.map { |offer| connect(deflate: offer) }
    sockets.each { |socket| expect(socket.receive).to eq('open') }
    [WORDS, 'short', 'é' * 3000, Random.bytes(3000).unpack1('H*')].each do |text|
      sockets.first.text(text)
      sockets.each { |socket| expect(socket.receive).to eq(text) }
    end
    sockets.first.text(WORDS)
    expect(sockets.map { |socket| socket.read_frame.rsv }).to eq([0, 4, 4, 4])
  end
end
