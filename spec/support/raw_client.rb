# frozen_string_literal: true

require 'io/wait'
require 'socket'

require_relative 'deadline'
require_relative 'response'
require_relative 'secure_socket'

module Support
  # A client that sends exactly the bytes it is told to and reads responses. Every wait has a
  # deadline.
  #
  #   client = RawClient.tcp(3000)
  #   client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
  #   client.receive.status   # => 200
  class RawClient
    # The peer closed (or reset) in the middle of something; `bytes` is what had come.
    class Closed < RuntimeError
      attr_reader :bytes

      def initialize(message, bytes)
        @bytes = bytes
        super("#{message} after #{bytes.inspect[0, 300]}")
      end
    end

    attr_reader :socket

    # @param timeout [Numeric] seconds that each read or write may take
    def self.tcp(port, host = '127.0.0.1', timeout: 5)
      socket = Socket.tcp(host, port, connect_timeout: timeout)
      socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      new(socket, timeout: timeout)
    end

    def self.unix(path, timeout: 5)
      new(UNIXSocket.new(path), timeout: timeout)
    end

    # @param options [Hash] of SecureSocket
    def self.secure(port, name, context, timeout: 5, **options)
      new(SecureSocket.new(port, name, context, timeout: timeout, **options), timeout: timeout)
    end

    def initialize(socket, timeout:)
      @socket = socket
      @timeout = timeout
      @buffer = String.new(encoding: Encoding::BINARY)
    end

    # Sends all bytes.
    def write(bytes)
      deadline = Deadline.new(@timeout, 'room to write')
      bytes = bytes.b
      until bytes.empty?
        sent = @socket.write_nonblock(bytes, exception: false)
        next @socket.wait_writable(deadline.left) if sent == :wait_writable

        bytes = bytes.byteslice(sent..)
      end
      self
    end
    alias << write

    # Sends the bytes to a peer that may have closed or reset meanwhile.
    def try_write(bytes)
      write(bytes)
    rescue Errno::EPIPE, Errno::ECONNRESET
      self
    end

    # Sends until the peer takes no more for a while, at most all of the bytes.
    # @return [Integer] bytes sent
    def write_until_blocked(bytes, patience: 0.5)
      bytes = bytes.b
      total = 0
      while total < bytes.bytesize
        sent = @socket.write_nonblock(bytes.byteslice(total, 65_536), exception: false)
        break if sent == :wait_writable && !@socket.wait_writable(patience)

        total += sent if sent.is_a?(Integer)
      end
      total
    end

    # Sends the bytes of a request and reads its response, as #receive does.
    def ask(bytes, **options)
      write(bytes).receive(**options)
    end

    # Sends a small request, without a body unless one is given, and reads its response. Headers are sent as they are.
    def request(method = 'GET', path = '/', headers = {}, body: nil)
      headers = { 'host' => 'localhost' }.merge(headers)
      headers = headers.merge('content-length' => body.bytesize) if body
      lines = headers.map { |name, value| "#{name}: #{value}\r\n" }.join
      ask("#{method} #{path} HTTP/1.1\r\n#{lines}\r\n#{body}", head_only: method == 'HEAD')
    end

    def get(path = '/', headers = {})
      request('GET', path, headers)
    end

    # Reads one response with its body, an interim one (1xx) too.
    # @param head_only [Boolean] leave the body: the request was a HEAD
    # @return [Response]
    # @raise [Closed] if the peer closes before the response is complete
    def receive(head_only: false)
      head = take_through("\r\n\r\n", 'the response head')
      Response.new(head).tap { |response| read_body(response) unless head_only }
    end

    # Reads exactly `count` bytes.
    def read(count)
      deadline = Deadline.new(@timeout, "#{count} bytes")
      fill(deadline) { |closed| raise closed } until @buffer.bytesize >= count
      @buffer.slice!(0, count)
    end

    # Reads up to the mark, with it.
    def take_through(mark, what = mark.inspect)
      deadline = Deadline.new(@timeout, what)
      from = 0
      until (at = @buffer.index(mark, from))
        from = [@buffer.bytesize - mark.bytesize, 0].max
        fill(deadline) { |closed| raise closed }
      end
      @buffer.slice!(0, at + mark.bytesize)
    end

    # Everything until the peer closes; a reset counts as a close.
    def rest(within: @timeout)
      deadline = Deadline.new(within, 'the peer to close')
      loop { fill(deadline) { return take_all } }
    end

    # What has come, at most `limit` bytes, waiting `within` seconds for the first: "" if nothing came or the peer closed.
    def read_some(limit = 65_536, within: 0.1)
      fill(Deadline.new(@timeout, 'bytes')) { return '' } if @buffer.empty? && @socket.wait_readable(within)
      @buffer.slice!(0, limit)
    end

    # True when the peer has closed, or closes within `seconds`, and sent nothing more.
    def closed_by_peer?(seconds = @timeout)
      return false unless @buffer.empty? && @socket.wait_readable(seconds * Deadline::SLOWER)

      fill(Deadline.new(1, 'the close')) { return true }
      false
    end

    # Sends FIN; reading goes on.
    def shut
      @socket.shutdown(Socket::SHUT_WR)
      self
    end

    # Closes with a RST.
    def reset
      @socket.setsockopt(Socket::Option.linger(true, 0))
      @socket.close
    end

    def close
      @socket.close unless @socket.closed?
    end

    private

    def read_body(response)
      return if response.bodyless?
      return read_chunks(response) if response.chunked?

      length = response['content-length']
      response.body << (length ? read(Integer(length, 10)) : rest)
    end

    def read_chunks(response)
      loop do
        size = Integer(take_through("\r\n", 'a chunk size')[/\A\h+/], 16)
        break if size.zero?

        response.chunks << read(size)
        response.body << response.chunks.last
        raise "a chunk that ends in #{@buffer.inspect[0, 40]}" unless read(2) == "\r\n"
      end
      nil until take_through("\r\n", 'the trailers') == "\r\n"
    end

    def take_all
      @buffer.slice!(0..)
    end

    # Adds what comes next to the buffer; at the end the block is called with a Closed.
    def fill(deadline)
      case (bytes = @socket.read_nonblock(65_536, exception: false))
      when String then @buffer << bytes
      when :wait_readable then @socket.wait_readable(deadline.left)
      when nil then yield Closed.new('the peer closed', @buffer)
      end
    rescue Errno::ECONNRESET, Errno::EPIPE
      yield Closed.new('the peer reset the connection', @buffer)
    end
  end
end
