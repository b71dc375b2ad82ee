# frozen_string_literal: true

require 'digest/sha1'
require 'securerandom'

require_relative 'message_deflate'
require_relative 'raw_client'

module Support
  # A WebSocket client that sends exactly the frames it is told to and shows those that come.
  #
  #   socket = WebSocket.new(RawClient.tcp(3000), '/chat', 'origin' => 'https://example.com')
  #   socket.text('hello')
  #   socket.receive            # => "hello", UTF-8; binary messages are binary
  #   socket.close(1000, 'bye')
  #   socket.closing            # => [1000, ""], the peer's half
  class WebSocket
    Frame = Struct.new(:opcode, :payload, :fin, :rsv)
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10
    GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

    # The peer answered the handshake in another way.
    class Refused < RuntimeError
      attr_reader :response

      def initialize(response)
        @response = response
        super("the handshake was answered with #{response.status}")
      end
    end

    # raw: the bytes below · response: what the handshake was answered with · pongs: payloads of those that came
    attr_reader :raw, :response, :pongs

    # @return [String] the request of a handshake; headers replace its own, nil leaves one out
    def self.handshake(path = '/', headers = {})
      all = { 'host' => 'localhost', 'connection' => 'Upgrade', 'upgrade' => 'websocket',
              'sec-websocket-version' => '13', 'sec-websocket-key' => KEY }.merge(headers)
      lines = all.flat_map { |name, value| Array(value).map { |one| "#{name}: #{one}\r\n" } }
      "GET #{path} HTTP/1.1\r\n#{lines.join}\r\n"
    end

    def self.accept(key = KEY)
      Digest::SHA1.base64digest(key + GUID)
    end

    # @param raw [RawClient]
    # @param deflate [String, nil] the parameters of permessage-deflate to ask for, "" for none
    # @param early [String] bytes to send together with the handshake
    # @raise [Refused]
    def initialize(raw, path = '/', headers = {}, deflate: nil, early: '')
      @raw = raw
      @pongs = []
      headers = { 'sec-websocket-extensions' => ['permessage-deflate', deflate].grep(/./).join('; ') }.merge(headers) if deflate
      @response = raw.ask(self.class.handshake(path, headers) + early)
      raise Refused, @response unless @response.status == 101

      @deflate = MessageDeflate.new(@response['sec-websocket-extensions']) if @response['sec-websocket-extensions']
    end

    # What was agreed on of permessage-deflate, or nil.
    attr_reader :deflate

    # ---- what goes out ----

    # The bytes of a frame.
    # @param mask [String, nil] four bytes; nil: not masked
    # @param length [Integer, nil] what the head says, if that isn't the payload's
    # @param bytes [Integer, nil] of the head's length field, if more than needed
    def self.frame(opcode, payload = '', fin: true, rsv: 0, mask: SecureRandom.bytes(4), length: payload.bytesize, bytes: nil)
      first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
      head = [first].pack('C') << length_field(length, bytes || least_bytes(length), mask ? 0x80 : 0)
      head << (mask ? mask + mask(payload, mask) : payload.b)
    end

    def self.least_bytes(length)
      return 1 if length < 126

      length < 65_536 ? 2 : 8
    end

    def self.length_field(length, bytes, masked)
      return [masked | length].pack('C') if bytes == 1

      bytes == 2 ? [masked | 126, length].pack('Cn') : [masked | 127, length].pack('CQ>')
    end
    private_class_method :least_bytes, :length_field

    # Eight bytes at a time.
    def self.mask(payload, mask)
      key = (mask * 2).unpack1('Q')
      padded = payload.b + ("\0" * (-payload.bytesize % 8))
      padded.unpack('Q*').map! { |word| word ^ key }.pack('Q*').byteslice(0, payload.bytesize)
    end

    def frame(...)
      write(self.class.frame(...))
    end

    def write(bytes)
      raw.write(bytes)
      self
    end

    # Compressed, if that was agreed on.
    def text(string)
      message(TEXT, string)
    end

    def binary(string)
      message(BINARY, string)
    end

    def message(opcode, string)
      deflate ? frame(opcode, deflate.deflate(string), rsv: 4) : frame(opcode, string)
    end

    # In frames of these payloads.
    def fragments(opcode, *payloads)
      payloads.each_with_index do |payload, n|
        frame(n.zero? ? opcode : CONTINUATION, payload, fin: n == payloads.size - 1)
      end
      self
    end

    def ping(payload = '')
      frame(PING, payload)
    end

    def pong(payload = '')
      frame(PONG, payload)
    end

    # Our half of the closing handshake. Without a code the frame is empty.
    def close(code = 1000, reason = '')
      frame(CLOSE, code ? [code].pack('n') + reason.b : '')
    end

    # ---- what comes ----

    # @return [Frame] the next one, as it is
    def read_frame
      first, second = raw.read(2).unpack('CC')
      raise 'a server\'s frame is masked' if second.anybits?(0x80)

      Frame.new(first & 15, raw.read(read_length(second & 0x7f)), first.anybits?(0x80), (first >> 4) & 7)
    end

    # @return [String] the next message. Pings before it are answered
    # @raise [RuntimeError] when a close comes instead
    def receive
      frame = data_frame
      raise "closed with #{closing_of(frame).inspect}" if frame.opcode == CLOSE

      opcode = frame.opcode
      compressed = frame.rsv == 4
      payload = frame.payload
      payload << (frame = data_frame).payload until frame.fin
      payload = deflate.inflate(payload) if compressed
      payload.force_encoding(opcode == TEXT ? Encoding::UTF_8 : Encoding::BINARY)
    end

    # @return [Array(Integer, String)] code and reason of the peer's close; what comes before is skipped. [nil, ""]: there
    #   is no code in it
    def closing
      frame = data_frame
      frame = data_frame until frame.opcode == CLOSE
      closing_of(frame)
    end

    # True when the peer closes the connection, within the client's time limit, without another frame.
    def over?
      raw.closed_by_peer?
    end

    # Closes the connection without a goodbye.
    def hang_up
      raw.close
    end

    private

    def read_length(short)
      case short
      when 126 then raw.read(2).unpack1('n')
      when 127 then raw.read(8).unpack1('Q>')
      else short
      end
    end

    # Anything but pings, which are answered, and pongs, which are kept.
    def data_frame
      loop do
        frame = read_frame
        case frame.opcode
        when PING then pong(frame.payload)
        when PONG then pongs << frame.payload
        else return frame
        end
      end
    end

    def closing_of(frame)
      code, reason = frame.payload.unpack('na*')
      [code, reason.to_s.force_encoding(Encoding::UTF_8)]
    end
  end
end
