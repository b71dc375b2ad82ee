# frozen_string_literal: true

require 'openssl'
require 'socket'

module Support
  # An SSLSocket that RawClient can use as it uses a TCPSocket.
  class SecureSocket
    attr_reader :ssl

    # @param name [String] the server's, asked for and verified
    # @param context [OpenSSL::SSL::SSLContext]
    def initialize(port, name, context, session: nil, timeout: 5)
      @tcp = Socket.tcp('127.0.0.1', port, connect_timeout: timeout)
      @tcp.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @ssl = OpenSSL::SSL::SSLSocket.new(@tcp, context)
      @ssl.hostname = name
      @ssl.session = session if session
      @ssl.sync_close = true
      shake_hands(Deadline.new(timeout, 'the handshake'))
    end

    def write_nonblock(bytes, exception: false)
      @ssl.write_nonblock(bytes, exception: exception)
    end

    # What TLS itself has to say first is waited for by wait_readable, as data is.
    def read_nonblock(most, exception: false)
      @ssl.read_nonblock(most, exception: exception)
    end

    def wait_readable(seconds)
      @ssl.pending.positive? || @tcp.wait_readable(seconds)
    end

    def wait_writable(seconds)
      @tcp.wait_writable(seconds)
    end

    # Says nothing to the peer but FIN.
    def cut
      @tcp.close
    end

    def close
      @ssl.close
    end

    def closed?
      @tcp.closed?
    end

    private

    def shake_hands(deadline)
      loop do
        case @ssl.connect_nonblock(exception: false)
        when :wait_readable then @tcp.wait_readable(deadline.left)
        when :wait_writable then @tcp.wait_writable(deadline.left)
        else break
        end
      end
    rescue StandardError
      @tcp.close
      raise
    end
  end
end
