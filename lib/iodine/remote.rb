# frozen_string_literal: true

module Iodine
  # Where {Iodine.connect} connects to: what is spoken there, a host with its port or the path of a Unix socket, and for
  # a WebSocket the path that is asked for.
  # @api private
  class Remote
    AUTHORITY = %r{(?<host>\[[^\]]*\]|[^/?#:\[\]]*)(?::(?<port>[^/?#]*))?}
    URL = %r{\A(?<scheme>[a-z][a-z0-9+.-]*)://#{AUTHORITY}(?<rest>[/?][^#]*)?(?:#.*)?\z}i
    WEBSOCKET = %w[ws wss http https].freeze
    RAW = %w[raw tcp tls unix].freeze
    SECURE = %w[wss https tls].freeze
    PORTS = { 'ws' => 80, 'http' => 80, 'wss' => 443, 'https' => 443 }.freeze

    # What is asked for: a path with its query, "/" if there is none.
    attr_reader :target, :port

    # @param options [Hash] of url, service, address, port and path
    # @raise [ArgumentError, TypeError]
    def initialize(options)
      where = options[:url] ? options.merge(split(string(:url, options[:url]))) : options
      @service = service(where)
      @address = string(:address, where[:address]).to_s.delete('[]')
      @target = slashed(string(:path, where[:path]))
      @port = local? ? 0 : number(where[:port] || PORTS[@service])
    end

    def websocket?
      WEBSOCKET.include?(@service)
    end

    # Does the service alone say that TLS is spoken?
    def secure?
      SECURE.include?(@service)
    end

    # Is it a Unix socket?
    def local?
      @address.include?('/')
    end

    # The host, or what stands for it where there is none.
    def name
      local? || @address.empty? ? 'localhost' : @address
    end

    # As it stands in a URL.
    def host
      name.include?(':') ? "[#{name}]" : name
    end

    # Without the query: it may be a secret.
    def to_s
      return "#{@service}:#{@address}" if local?

      "#{@service}://#{host}:#{port}#{target[/\A[^?]*/] if websocket?}"
    end

    # Numeric ones, or the path. The system is asked only for a name.
    # @raise [RuntimeError] when there is no such host
    def addresses
      return [@address] if local?
      return [name] if name.match?(/:|\A[\d.]+\z/)

      require 'socket'
      Addrinfo.getaddrinfo(name, nil, nil, :STREAM).map(&:ip_address).uniq
    rescue SocketError => e
      raise "can't find the host #{name}: #{e.message}"
    end

    private

    # Without a host its path is a Unix socket's.
    def split(url)
      parts = URL.match(url) || raise(ArgumentError, "#{url.inspect} is no URL: write it as ws://host:port/path")
      scheme = parts[:scheme].downcase
      port = parts[:port] unless parts[:port].to_s.empty?
      return { scheme: scheme, address: parts[:host], port: port, path: parts[:rest] }.compact if host?(scheme, parts)

      path = "#{parts[:host]}#{parts[:rest]}"
      raise ArgumentError, "#{url.inspect} has neither a host nor a path" unless path.include?('/')

      { scheme: scheme, address: path }
    end

    def host?(scheme, parts)
      scheme != 'unix' && !(parts[:host].empty? && parts[:port].to_i.zero?)
    end

    # What is spoken there: what the service says, without one the URL's scheme, without that bytes.
    def service(where)
      name = where[:service] || where[:scheme] || 'raw'
      unless name.is_a?(String) || name.is_a?(Symbol)
        raise TypeError, "service must be a Symbol, not #{name.class}: use :ws"
      end
      return name.to_s if WEBSOCKET.include?(name.to_s) || RAW.include?(name.to_s)

      raise ArgumentError, "unknown service #{name.to_s.inspect}: use :ws or :raw"
    end

    def slashed(path)
      return '/' if path.to_s.empty?

      path.start_with?('/') ? path : "/#{path}"
    end

    def string(what, value)
      return value if value.nil? || value.is_a?(String)

      raise TypeError, "#{what} must be a String, not #{value.class}"
    end

    def number(port)
      raise ArgumentError, "connect needs a port for #{@service}://#{host}" if port.nil?
      raise TypeError, "port must be an Integer or a String, not #{port.class}" unless port?(port)
      return port.to_i if port.to_s.match?(/\A\d{1,5}\z/) && (1..65_535).cover?(port.to_i)

      raise ArgumentError, "port #{port.inspect} is no port: give a number from 1 to 65535"
    end

    def port?(port)
      port.is_a?(Integer) || port.is_a?(String)
    end
  end
  private_constant :Remote
end
