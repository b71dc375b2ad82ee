# frozen_string_literal: true

module Iodine
  # One place to listen: a TCP address with its port, or the path of a Unix socket.
  # @api private
  class Endpoint
    URL = %r{\A(?<scheme>[a-z][a-z0-9+.-]*)://(?:(?<host>\[[^\]]*\]|[^/:\[\]]*)(?::(?<port>[^/]*))?)(?<path>/.*)?\z}i
    LOOPBACKS = %w[127.0.0.1 ::1].freeze

    attr_reader :scheme, :address, :port
    # Is TLS spoken there?
    attr_accessor :secure
    # Is it no HTTP?
    attr_accessor :raw

    # @param address [String, nil] an address, a URL or a path; nil = every address
    # @param port [Integer, String] for an address without one
    def self.parse(address, port)
      unless address.nil? || address.is_a?(String)
        raise TypeError, "address must be a String, not #{address.class}: give one such as \"127.0.0.1\""
      end

      address.to_s.include?('://') ? parse_url(address, port) : new(nil, address && bare(address), port)
    end

    def self.parse_url(address, port)
      url = URL.match(address) || raise(ArgumentError, "#{address.inspect} is no URL: write it as http://address:port")
      scheme = url[:scheme].downcase
      return new(scheme, unix_path(address, url), 0) if scheme == 'unix'

      new(scheme, url[:host].delete('[]'), url[:port].to_s.empty? ? port : url[:port])
    end

    # An IPv6 address may have its brackets.
    def self.bare(address)
      address[/\A\[(.*)\]\z/, 1] || address
    end

    def self.unix_path(address, url)
      path = "#{url[:host]}#{url[:path]}"
      path.include?('/') ? path : raise(ArgumentError, "#{address.inspect} has no path: write it as unix:///path")
    end
    private_class_method :parse_url, :bare, :unix_path

    # Where somebody else has bound a socket.
    # @param given [Inherited::Given]
    def self.of(given)
      new(nil, given.path || given.address, given.port || 0)
    end

    def initialize(scheme, address, port)
      @scheme = scheme
      @address = address unless address.to_s.empty?
      @port = unix? ? 0 : number(port)
    end

    def unix?
      @address.to_s.include?('/')
    end

    # The scheme for the banner.
    def title
      return 'unix' if unix?
      return secure ? 'tls' : 'tcp' if raw

      secure ? 'https' : 'http'
    end

    # Where listeners are told apart after a stop. A free port is never the same one.
    def same?(other)
      !(other.port.zero? && !other.unix?) && [address, port] == [other.address, other.port]
    end

    # What was handed over to this process is taken instead.
    # @return [Array<String>] what was bound, as the banner names it
    # @raise [RuntimeError] with the address and the reason
    def bind(server, settings, app)
      @server = server
      @sockets = {}
      return [bind_unix(settings, app)] if unix?

      names = []
      addresses.each { |address| bind_next(names, address, settings, app) }
      names
    end

    # @return [Array<Array(Integer, String)>] what it listens on: descriptors with their marks (see Inherited)
    def descriptors
      @sockets.filter_map do |name, mark|
        descriptor = @server.descriptor(name)
        [descriptor, mark] if descriptor
      end
    end

    # Another process listens here from now on.
    def hand_over
      @inode = nil
    end

    # Removes the socket file that bind made, and none that came after it. While a predecessor waits it is that one's.
    def remove
      File.unlink(@path) if @inode && !Predecessor.waiting? && File.lstat(@path).ino == @inode
      @inode = nil
    rescue SystemCallError
      nil
    end

    private

    def number(port)
      raise TypeError, "port must be an Integer or a String, not #{port.class}" unless port?(port)
      return port.to_i if port.to_s.match?(/\A\d{1,5}\z/) && port.to_i <= 65_535

      raise ArgumentError, "port #{port.inspect} is no port: give a number from 0 to 65535"
    end

    def port?(port)
      port.is_a?(Integer) || port.is_a?(String)
    end

    def bind_unix(settings, app)
      given = Inherited.take_unix(@address)
      name = given ? take(given, settings, app) : @server.bind(:unix, @address, 0, settings, app)
      @path = File.expand_path(@address) # the working directory may change until it is removed
      @inode = File.lstat(@path).ino unless given&.systemd?
      @sockets[name] ||= ''
      name
    end

    def bind_tcp(address, port, settings, app)
      given = Inherited.take(address, port)
      return take(given, settings, app) if given

      @server.bind(:tcp, address, port, settings, app).tap do |name|
        @sockets[name] = @port.zero? ? Inherited::ANY_PORT : ''
      end
    end

    def take(given, settings, app)
      @server.take(given.fd, settings, app).tap { |name| @sockets[name] = given.mark }
    end

    # Numeric ones; nil = every address. The system is asked only for a name.
    def addresses
      return [@address] if @address.nil? || @address.match?(/:|\A[\d.]+\z/)
      return LOOPBACKS if @address == 'localhost'

      require 'socket'
      Addrinfo.getaddrinfo(@address, nil, nil, :STREAM).map(&:ip_address).uniq
    rescue SocketError => e
      raise "can't listen on #{@address}: #{e.message}: give an address of this machine"
    end

    # All addresses of a name have the same port. One that this system lacks (IPv6 often) is left out, but not the
    # first.
    def bind_next(names, address, settings, app)
      port = names.empty? ? @port : names.first[/\d+\z/].to_i
      names << bind_tcp(address, port, settings, app)
    rescue RuntimeError => e
      raise if names.empty? || e.message.include?('in use')

      Log.debug("#{@address} is #{names.first} alone: #{e.message}")
    end
  end
  private_constant :Endpoint
end
