# frozen_string_literal: true

module Iodine
  # Listening sockets that this process has got from who started it: the process whose place it takes, or systemd. Who
  # listens at such an address takes the socket, with the connections that wait there, instead of binding one.
  # @api private
  module Inherited
    FIRST = 3 # systemd's descriptors are counted from here
    VARIABLES = %w[LISTEN_PID LISTEN_FDS LISTEN_FDNAMES].freeze
    EVERY = %w[:: 0.0.0.0].freeze # address nil
    ANY_PORT = '*' # marks: its port was the system's choice,
    SYSTEMD = 's' # and systemd has made it

    # One of them. The path is a Unix socket's.
    Given = Struct.new(:fd, :mark, :path, :address, :port) do
      def self.of(number, mark)
        require 'socket'
        socket = Socket.for_fd(number)
        socket.autoclose = false
        socket.close_on_exec = true
        local = socket.local_address
        return new(number, mark, File.expand_path(local.unix_path)) if local.unix?

        new(number, mark, nil, local.ip_address, local.ip_port)
      end

      def systemd?
        mark == SYSTEMD
      end

      def at?(address, port)
        address ? address == self.address && right_port?(port) : EVERY.include?(self.address) && right_port?(port)
      end

      # To somebody who asks for any port.
      def right_port?(port)
        port.zero? ? mark == ANY_PORT : port == self.port
      end

      def name
        path || (address.include?(':') ? "[#{address}]:#{port}" : "#{address}:#{port}")
      end

      def close
        Socket.for_fd(fd).close
      end
    end

    @left = nil
    @stale = []

    class << self
      # What nobody has taken. First called before the application can start programs, which must not get them.
      # @return [Array<Given>]
      def left
        @left ||= of_predecessor + of_systemd
      end

      # @param address [String, nil] numeric; nil = every address
      # @return [Given, nil] it belongs to the caller
      def take(address, port)
        return if left.empty?

        address &&= Addrinfo.tcp(address, 0).ip_address
        pick { |given| given.path.nil? && given.at?(address, port) }
      rescue SocketError
        nil # no address at all: to bind tells more
      end

      # Somebody may have removed its file, which then must be made again.
      # @return [Given, nil]
      def take_unix(path)
        pick { |given| given.path == File.expand_path(path) && File.socket?(given.path) }
      end

      # Where somebody listens who names neither address nor port.
      # @return [Array<Given>]
      def from_systemd
        left.select(&:systemd?)
      end

      # What nobody took. Before the forks: in no process may connections wait for nobody.
      def close_rest
        left.each do |given|
          Log.warning("nothing listens on #{given.name}, which systemd has bound: name it with -b") if given.systemd?
          @stale << given.path if given.path && !given.systemd?
          given.close
        end
        left.clear
      end

      # The predecessor is gone, and so is whoever listened there.
      def remove_stale
        @stale.each { |path| File.unlink(path) }
      rescue SystemCallError
        nil # somebody was faster
      end

      private

      def pick(&)
        left.delete(left.find(&))
      end

      def of_predecessor
        Predecessor.sockets.filter_map { |word| given(word.to_i, word[/\D\z/].to_s) }
      end

      def of_systemd
        pid, count, = VARIABLES.map { |name| ENV.delete(name) }
        return [] unless pid.to_i == ::Process.pid

        Array.new(count.to_i) { |index| given(FIRST + index, SYSTEMD) }.compact
      end

      def given(number, mark)
        Given.of(number, mark)
      rescue SystemCallError, SocketError, ArgumentError => e
        Log.warning("descriptor #{number} was handed over and is of no use here: #{e.message}")
        nil
      end
    end
  end
  private_constant :Inherited
end
