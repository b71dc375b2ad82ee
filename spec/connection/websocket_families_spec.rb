# frozen_string_literal: true

require_relative 'connection_app'

# Against a live server what a conformance suite asks for in families: framing, pings, reserved bits and opcodes,
# fragments, text, closing, sizes, compression. What the other specs of WebSockets have is not repeated.
RSpec.describe 'WebSockets by families of cases' do
  def frame(...)
    Support::WebSocket.frame(...)
  end

  before(:context) { @server = boot_upgrades(ConnectionApp::ECHO, listen: 'max_msg: 16_384, max_pending: 64', threads: 4) }

  describe 'fragments' do
    # frames → what is echoed, and the code of a close
    [
      ['a pong in two', [[10, 'a', false], [0, 'b']], [], 1002],
      ['text in two, then text in two more', [[1, 'a', false], [0, 'b'], [1, 'c', false], [0, 'd']], %w[ab cd], nil],
      ['a continuation that goes on with nothing, before text', [[0, 'a', false], [1, 'b']], [], 1002],
      ['a continuation that ends nothing, before text', [[0, 'a'], [1, 'b']], [], 1002],
      ['text in two, a continuation of nothing, text', [[1, 'a', false], [0, 'b'], [0, 'c', false], [1, 'd']], %w[ab], 1002],
      ['continuations of nothing, twice', [[0, 'a', false], [1, 'b'], [0, 'c', false], [1, 'd']], [], 1002],
      ['text within text', [[1, 'a', false], [1, 'b']], [], 1002],
      ['binary within text', [[1, 'a', false], [2, 'b']], [], 1002],
      ['empty ones around', [[1, '', false], [0, 'a', false], [0, '', false], [0, '']], %w[a], nil],
      ['pings and pongs around', [[1, 'a', false], [9, 'p'], [0, 'b', false], [10, 'q'], [9, 'r'], [0, 'c']], %w[abc], nil],
      ['a close within', [[1, 'a', false], [8, [1000].pack('n')], [0, 'b']], [], 1000]
    ].each do |what, frames, echoed, code|
      [false, true].each do |cut|
        it "#{what}#{', byte by byte' if cut}" do
          socket = connect
          bytes = frames.map { |opcode, payload, fin| frame(opcode, payload, fin: fin != false) }.join
          cut ? bytes.each_char { |byte| socket.raw.try_write(byte) } : socket.write(bytes)
          echoed.each { |text| expect(socket.receive).to eq(text) }
          expect(code ? socket.closing.first : socket.text('end').receive).to eq(code || 'end')
        end
      end
    end
  end

  describe 'reserved bits and opcodes, behind a message and before a ping' do
    ((1..7).map { |rsv| [1, rsv] } + [9, 8, 2].map { |opcode| [opcode, 3] } + [3, 4, 7, 11, 15].map { |opcode| [opcode, 0] })
      .each do |opcode, rsv|
      it "opcode #{opcode}, bits #{rsv}" do
        socket = connect.write(frame(1, 'first') + frame(opcode, 'second', rsv: rsv) + frame(9, 'third'))
        expect([socket.receive, socket.closing, socket.pongs]).to eq(['first', [1002, ''], []])
      end
    end
  end

  describe 'text' do
    VALID = ['', 'Hello-µ@ßöäüàá-UTF-8!!', 'κόσμε', "\u0000", "\u0080", "\u0800", "\u{10000}", "\u007F", "\u07FF", "\uFFFF", "\u{10FFFF}",
             "\uD7FF", "\uE000", "\uFFFD", "\u{1FFFE}", "\u{FFFFF}", "\uFEFF", "\u{FDD0}", '☃' * 1000, "a\u0300"].freeze
    INVALID = ["\x80", "\xBF", "\x80\xBF\x80", "\xC0", "\xC1\xBF", "\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xF8\x80\x80\x80\xAF",
               "\xFC\x80\x80\x80\x80\xAF", "\xC3 ", "\xE1\x80 ", "\xF1\x80\x80 ", "\xFE", "\xFF", "\xFE\xFE\xFF\xFF", "\xED\xA0\x80",
               "\xED\xAF\xBF\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x98", "\xF0\x9F\xA6",
               "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited", "\xCE\xBA\xF4\x90\x80\x80edited"].freeze

    it 'that is valid comes back, whole, in pieces and by bytes' do
      socket = connect
      VALID.each do |text|
        expect(socket.text(text).receive).to eq(text)
        expect(socket.fragments(1, *text.b.scan(/.{1,2}/mn), '').receive).to eq(text)
        frame(1, text).scan(/.{1,3}/mn) { |piece| socket.write(piece) }
        expect(socket.receive).to eq(text)
      end
    end

    INVALID.each do |bytes|
      it "#{bytes.b.inspect} is 1007, whole and in pieces, alone and within other text" do
        [bytes, "ok #{bytes}", "#{'é' * 300}#{bytes}"].map(&:b).each do |text|
          expect(connect.frame(1, text).closing).to eq([1007, ''])
          expect(connect.tap { |socket| socket.fragments(1, *text.scan(/./mn)) rescue nil }.closing).to eq([1007, '']) # rubocop:disable Style/RescueModifier
          expect(connect.binary(text).receive).to eq(text)
        end
      end
    end
  end

  describe 'sizes' do
    MEGABYTE = 1024 * 1024

    def payload(size)
      ('abcdefghijklmnopqrstuvwxyz012345' * ((size / 32) + 1)).byteslice(0, size)
    end

    # Reads while it writes: an echo may begin before all is sent.
    def echoed(socket, bytes, count = 1)
      writer = Thread.new { socket.write(bytes) }
      Array.new(count) { socket.receive }.tap { writer.join }
    end

    [65_536, 262_144, MEGABYTE, 4 * MEGABYTE, 8 * MEGABYTE, 16 * MEGABYTE].each do |size|
      it "a message of #{size} bytes, text and binary" do
        text = payload(size)
        socket = connect(timeout: 30)
        expect(echoed(socket, frame(1, text))).to eq([text])
        expect(echoed(socket, frame(2, text))).to eq([text.b])
      end
    end

    [64, 256, 1024, 4096, 65_536, MEGABYTE, 4 * MEGABYTE].each do |size|
      it "4 MB in fragments of #{size} bytes" do
        text = payload(4 * MEGABYTE)
        pieces = Array.new(text.bytesize / size) { |n| text.byteslice(n * size, size) }
        bytes = pieces.each_with_index.map { |piece, n| frame(n.zero? ? 1 : 0, piece, fin: n == pieces.size - 1) }.join
        expect(echoed(connect(timeout: 30), bytes)).to eq([text])
      end
    end

    [64, 128, 256, 512, 1024, 2048].each do |size|
      it "1 MB sent #{size} bytes at a time" do
        text = payload(MEGABYTE)
        socket = connect(timeout: 30)
        writer = Thread.new { frame(2, text).scan(/.{1,#{size}}/mn) { |piece| socket.write(piece) } }
        expect(socket.receive).to eq(text)
        writer.join
      end
    end

    it '16 MB and a byte is 1009' do
      expect(connect.frame(2, 'x', length: (16 * MEGABYTE) + 1).closing).to eq([1009, ''])
    end

    [0, 16, 64, 256, 1024, 4096, 16_384, 65_536].each do |size|
      it "a thousand messages of #{size} bytes" do
        text = payload(size)
        expect(echoed(connect(timeout: 30), frame(1, text) * 1000, 1000).uniq).to eq([text])
      end
    end

    it '64 KB in frames of 1,300 bytes' do
      text = payload(65_536)
      pieces = text.scan(/.{1,1300}/m)
      expect(connect.fragments(1, *pieces).receive).to eq(text)
    end
  end

  describe 'compression' do
    JSON_TEXT = Array.new(700) { |n| %({"id":#{n},"name":"user #{n}","text":"été ☃","tags":["a","b",#{n % 7}]}) }.join(",\n")

    def text_of(size)
      text = (JSON_TEXT * ((size / JSON_TEXT.bytesize) + 1)).byteslice(0, size)
      text.scrub('')
    end

    ['', 'server_no_context_takeover; client_no_context_takeover', 'client_max_window_bits=9', 'server_max_window_bits=9',
     'server_max_window_bits=9; client_max_window_bits=9; client_no_context_takeover', 'server_max_window_bits=15; client_max_window_bits=15']
      .each do |offer|
      it "a hundred messages of each size with #{offer.empty? ? 'no parameter' : offer}" do
        socket = connect(deflate: offer, timeout: 30)
        [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].each do |size|
          text = text_of(size)
          writer = Thread.new { 100.times { socket.text(text) } }
          expect(Array.new(100) { socket.receive }.uniq).to eq([text])
          writer.join
        end
        bytes = Random.bytes(200_000)
        3.times { expect(socket.binary(bytes).receive).to eq(bytes) }
      end
    end

    [256, 1024, 4096, 32_768].each do |size|
      it "128 KB compressed, in fragments of #{size} bytes, cut in odd places" do
        socket = connect(deflate: '', timeout: 30)
        text = text_of(131_072)
        20.times do
          pieces = socket.deflate.deflate(text).scan(/.{1,#{size}}/mn)
          frames = pieces.each_with_index.map do |piece, n|
            frame(n.zero? ? 1 : 0, piece, fin: n == pieces.size - 1, rsv: n.zero? ? 4 : 0)
          end
          frames.join.scan(/.{1,997}/mn) { |cut| socket.write(cut) }
          expect(socket.receive).to eq(text)
        end
      end
    end

    it '16 MB that were little on the way' do
      socket = connect(deflate: '', timeout: 30)
      text = 'a' * (16 * 1024 * 1024)
      expect(socket.text(text).receive).to eq(text)
      expect(socket.text("#{text}a").closing).to eq([1009, ''])
    end
  end
end
