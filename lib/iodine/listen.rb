# frozen_string_literal: true

# Where it listens.
module Iodine
  # Reads the arguments of {Iodine.listen}.
  # @api private
  module Listen
    HTTP = %w[http ws https wss].freeze
    RAW = %w[raw tcp tls unix].freeze
    KEYS = %i[url service address port handler app tls mode backlog log timeout head_timeout body_timeout write_timeout
              max_headers max_body max_clients max_per_address max_queue queue_timeout request_timeout
              max_pending ping max_msg deflate allowed_origin public max_age sendfile_root no_symlinks trusted_proxy
              proxy_protocol].freeze

    class << self
      # @return [Listener]
      def listener(arguments, block)
        given = check(arguments)
        options = DEFAULT_SETTINGS.merge(log: AccessLog.wanted?(DEFAULT_SETTINGS)).merge(given)
        endpoints = endpoints(options)
        options = Raw.call(endpoints, options, given) if RAW.include?(service(options[:service], endpoints))
        handler = options[:handler] || options[:app] || block
        check_handler(handler, options)
        Listener.new(handler, endpoints, options, Secure.call(endpoints, options, given[:tls]))
      end

      private

      def check(arguments)
        given = arguments.fetch(0, {})
        raise TypeError, "listen needs keywords such as port: 3000, not #{given.class}" unless given.is_a?(Hash)

        given.each_key { |key| check_key(key) }
        given.compact
      end

      def check_key(key)
        return if KEYS.include?(key)

        raise ArgumentError, "listen does not know #{key.inspect}: use one of #{KEYS.map(&:inspect).join(', ')}"
      end

      # A URL stands for address and port; an array of addresses is what the CLI's -b gives. Where neither is said, what
      # systemd has bound is meant.
      def endpoints(options)
        given = options[:url] || options[:address]
        return bound_by_systemd if given.nil? && options[:port] == DEFAULT_PORT && Inherited.from_systemd.any?

        (given.is_a?(Array) ? given : [given]).map { |address| Endpoint.parse(address, options[:port]) }
      end

      def bound_by_systemd
        Inherited.from_systemd.map { |socket| Endpoint.of(socket) }
      end

      # What is spoken there: what the service says, without one the URL's scheme, without that bytes.
      def service(service, endpoints)
        unless [NilClass, String, Symbol].include?(service.class)
          raise TypeError, "service must be a Symbol, not #{service.class}: use :http"
        end

        names = [service&.to_s, *endpoints.map(&:scheme)].compact
        names.each { |name| check_name(name) }
        names.first || 'raw'
      end

      def check_name(name)
        return if HTTP.include?(name) || RAW.include?(name)

        raise ArgumentError, "unknown service #{name.inspect}: use :http"
      end

      # Without an application it serves files alone.
      def check_handler(handler, options)
        return if handler.respond_to?(:call) || (handler.nil? && options[:public])

        what = options[:raw] ? 'a handler whose call returns the callbacks object' : 'a Rack application'
        raise ArgumentError, "listen needs #{what}: give handler: or a block" unless handler

        raise TypeError, "handler is #{handler.class}, which has no method call: give #{what}"
      end
    end
  end
  private_constant :Listen

  # Serves an application, or connections of a protocol of your own. The socket is bound at once; {start} serves it.
  # What is left out is taken from {DEFAULT_SETTINGS}.
  #
  #     Iodine.listen(service: :http, port: 3000, handler: app)
  #     Iodine.listen(url: 'http://localhost:3000') { |env| [200, {}, ['hello']] }
  #     Iodine.listen(service: :http, url: 'unix:///run/app.sock', handler: app)
  #     Iodine.listen(service: :https, port: 443, tls: Iodine::TLS.new(nil, 'cert.pem', 'key.pem'), handler: app)
  #     Iodine.listen(service: :http, public: 'public') # files alone
  #     Iodine.listen(service: :raw, port: 7000) { Echo.new } # callbacks: see {Connection}
  #
  # After {start} the listener belongs to the process that called.
  #
  # @param options [Hash]
  # @option options [String] :url scheme, address and port in one
  # @option options [Symbol, String] :service `:http` or `:ws`, with TLS `:https` or `:wss`; for bytes `:raw`, `:tcp` or
  #   `:unix`, with TLS `:tls`. The URL's scheme counts too; none at all is `:raw`
  # @option options [TLS] :tls certificates; without it `:https`, `:wss` and `:tls` make a self-signed one
  # @option options [String] :address an IP address, `"localhost"` (both loopbacks) or the path of a Unix socket; nil =
  #   every address
  # @option options [Integer, String] :port 0 = any free one
  # @option options [#call] :handler (also `:app`, or the block) a Rack application. Raw: it is called, without
  #   arguments, for each connection and returns its callbacks object (see {Connection}); nil or false closes it
  # @option options [String, false] :public a folder whose files are served before the application is asked; "~/" is the
  #   home folder. It also makes the application's X-Sendfile headers work
  # @option options [Integer] :max_age seconds that clients may keep such a file without asking again, 0 = none
  # @option options [String, Array<String>] :sendfile_root more folders that the application may send files of
  # @option options [Boolean] :no_symlinks don't follow symbolic links that lead out of these folders
  # @option options [Boolean] :log a line for each request
  # @option options [Integer] :timeout seconds that a connection may be idle, 0 = any. Raw: 0 to 255, also named
  #   `:ping`, 0 unless given here: see {Connection#timeout=}
  # @option options [Integer] :max_pending MB that may wait for the peer of a connection that isn't HTTP to read them;
  #   one that has more waiting when the application writes again is closed
  # @option options [Integer] :ping seconds of silence after which a WebSocket or an event stream is pinged, 0 to 255,
  #   0 = never; one that doesn't answer is closed after as many
  # @option options [Integer] :max_msg KB of a WebSocket's message (close code 1009)
  # @option options [Boolean] :deflate false: WebSockets aren't compressed
  # @option options [String, Array<String>] :allowed_origin pages that may open WebSockets here: "https://example.com",
  #   "https://*.example.com", "null"; none: all may. Others get 403. Who sends no Origin is no page
  # @option options [Integer] :head_timeout seconds for the head of a request
  # @option options [Integer] :body_timeout seconds without a byte of a request's body
  # @option options [Integer] :write_timeout seconds without the client reading
  # @option options [Integer] :max_headers KB of a request's head (431)
  # @option options [Integer] :max_body MB of a request's body (413)
  # @option options [Integer] :max_clients connections of a process, 0 = as the system allows (503)
  # @option options [Integer] :max_per_address connections of one client address to all workers together, 0 = any (503)
  # @option options [Integer] :max_queue requests that wait for a thread, in each worker, 0 = any (503)
  # @option options [Integer] :queue_timeout milliseconds that a request may wait for a thread, 0 = any (503)
  # @option options [Integer] :request_timeout seconds from a request's end to its response's begin, 0 = any (504)
  # @option options [String, Array<String>] :trusted_proxy networks such as "10.0.0.0/8", or addresses, of the proxies
  #   whose X-Forwarded-* and Forwarded are believed: REMOTE_ADDR, rack.url_scheme, SERVER_NAME, SERVER_PORT and the log
  #   follow them. A Unix socket's peer is trusted always
  # @option options [Boolean] :proxy_protocol connections begin with a header of the PROXY protocol, version 1 or 2.
  #   Those that don't, and those that aren't of a trusted proxy, are closed
  # @option options [Integer] :backlog connections that wait to be accepted
  # @option options [Integer] :mode permissions of a Unix socket's file
  # @return [#call, nil] the handler
  # @raise [ArgumentError, TypeError, RangeError] when an option is wrong
  # @raise [RuntimeError] when it can't be bound, with the address and the reason
  def self.listen(*arguments, **options, &block)
    return Compatibility.listen(*arguments, **options) if Compatibility.listen?(arguments)

    listener = Listen.listener(options.empty? ? arguments : [*arguments, options], block)
    Listeners.add(listener) unless Late.too_late?('Iodine.listen')
    listener.app
  end
end
