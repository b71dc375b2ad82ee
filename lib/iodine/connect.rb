# frozen_string_literal: true

# Connections that we open.
module Iodine
  # Reads the arguments of {Iodine.connect}.
  # @api private
  module Connect
    KEYS = %i[url service address port path handler app tls timeout ping max_msg max_pending
              method headers cookies body].freeze
    IGNORED = %i[log max_body max_headers public].freeze # 0.7 took them for HTTP clients, which it didn't have
    SECONDS = (0..255)
    PATIENCE = 30 # seconds for all that comes before on_open, when the call doesn't say
    ALPN = %w[http/1.1].freeze # of WebSockets

    class << self
      # @return [Clients::Opening]
      def opening(given)
        check(given)
        remote = Remote.new(given)
        Clients::Opening.new(client(remote, given), callbacks(given[:handler] || given[:app]))
      end

      # @return [Clients::Attaching]
      def attaching(descriptor, handler)
        raise TypeError, "fd must be an Integer, not #{descriptor.class}" unless descriptor.is_a?(Integer)

        callbacks = callbacks(handler)
        nowhere = { label: "descriptor #{descriptor}", addresses: [], local: false, port: 0 }
        client = Server::Client.new(limits({}, 0).merge(nowhere, tls: nil, server_name: nil, request: nil))
        Clients::Attaching.new(client, Server.adopt(descriptor), callbacks)
      end

      private

      def check(given)
        where = given.values_at(:url, :address, :port)
        raise ArgumentError, 'connect needs url:, or address: and port:' if where.none?

        given.each_key do |key|
          next if KEYS.include?(key) || IGNORED.include?(key)

          raise ArgumentError, "connect does not know #{key.inspect}: use one of #{KEYS.map(&:inspect).join(', ')}"
        end
      end

      def callbacks(handler)
        return handler if handler && handler != true

        raise ArgumentError, 'a callbacks object is needed: give handler:'
      end

      def client(remote, given)
        tls = tls(given[:tls], remote)
        request = Handshake.call(remote, !tls.nil?, given) if remote.websocket?
        secure = { server_name: remote.name, tls: tls&.client_context(remote.websocket? ? ALPN : tls.protocols.keys) }
        where = { label: remote.to_s, addresses: remote.addresses, local: remote.local?, port: remote.port }
        Server::Client.new(limits(given, idle(remote, given)).merge(where, secure, request: request))
      end

      # @return [TLS, nil]
      def tls(given, remote)
        return (default_tls if remote.secure?) unless given
        return given if given.is_a?(TLS)

        raise TypeError, "tls must be an Iodine::TLS, not #{given.class}: make one with Iodine::TLS.new"
      end

      # It trusts the system's store.
      def default_tls
        @default_tls ||= TLS.new
      end

      # Seconds without traffic.
      def idle(remote, given)
        return Number.check(:ping, given[:ping] || DEFAULT_SETTINGS[:ping], SECONDS) if remote.websocket?

        option = given[:timeout] ? :timeout : :ping
        Number.check(option, given[option] || 0, SECONDS)
      end

      def limits(given, idle)
        timeout = Number.check(:timeout, given[:timeout] || 0, SECONDS)
        {
          patience: (timeout.zero? ? PATIENCE : timeout) * 1000, timeout: idle,
          write_timeout: scaled(:write_timeout, {}), max_message: scaled(:max_msg, given),
          max_pending: scaled(:max_pending, given)
        }
      end

      # In the unit that C takes.
      def scaled(option, given)
        _, factor, range = Listener::LIMITS.fetch(option)
        Number.check(option, given[option] || DEFAULT_SETTINGS[option], range) * factor
      end
    end
  end
  private_constant :Connect

  class << self
    # Opens a connection to a server: a WebSocket, or bytes over TCP, TLS or a Unix socket. Its callbacks are those of
    # {Connection}, as for connections that were accepted. One that can't be opened gets `on_close(client)` alone, where
    # `client.open?` is false; the log says why.
    #
    #     class Echo
    #       def on_open(client) = client.write('hello')
    #       def on_message(client, data) = puts(data)
    #       def on_close(_client) = Iodine.stop
    #     end
    #     Iodine.connect(url: 'wss://example.com/echo', handler: Echo.new)
    #     Iodine.start
    #
    # Before {start} it waits for that, and one process opens it then: the root, if there are workers. To have a
    # connection in each of them, call this in `on_state(:on_start)`. While iodine stops it waits for the next start.
    #
    # With `wss`, `https` and `tls` the server's certificate must come from an authority that the system trusts, or that
    # `tls:` names (see {TLS#trust}), and be for the URL's host.
    #
    # @param options [Hash]
    # @option options [String] :url `"ws://host:port/path"`, so with `wss`, `http` and `https`; `"tcp://host:port"`,
    #   `"tls://host:port"`, `"unix:///path"`
    # @option options [Object] :handler the callbacks object: an instance, a class or a module
    # @option options [Symbol, String] :service `:ws`, `:wss`, `:raw`, `:tcp`, `:tls`, `:unix`: what the URL's scheme
    #   says, without one `:raw`
    # @option options [String] :address without a URL: a name, an address or the path of a Unix socket; nil = this
    #   machine
    # @option options [Integer, String] :port without one in the URL
    # @option options [String] :path without a URL: what a WebSocket asks for
    # @option options [TLS] :tls whom to trust, a certificate of our own. Given, TLS is spoken whatever the service says
    # @option options [Integer] :timeout seconds that it may take to open, 0 to 255, 0 = 30. Raw: see
    #   {Connection#timeout=} too
    # @option options [Integer] :ping seconds of silence after which a WebSocket is pinged, 0 = never. Raw: the same as
    #   `:timeout`
    # @option options [Integer] :max_msg KB of a WebSocket's message
    # @option options [Integer] :max_pending MB that may wait for the peer to read them
    # @option options [Hash] :headers more of a WebSocket's request; `Host` and `Sec-WebSocket-Protocol` too
    # @option options [Hash] :cookies name => value
    # @option options [String, Symbol] :method instead of GET
    # @option options [String] :body of that request
    # @return [Object] the handler
    # @raise [ArgumentError, TypeError, RangeError] when an option is wrong
    # @raise [RuntimeError] when there is no such host, or iodine was built without TLS
    def connect(*arguments, **options)
      given = arguments.empty? ? options : arguments.first
      raise TypeError, "connect needs keywords such as url:, not #{given.class}" unless given.is_a?(Hash)

      opening = Connect.opening(given.merge(options).compact)
      Clients.add(opening)
      opening.callbacks
    end

    # Has callbacks called for a socket that is connected already: a raw connection, in clear. The socket is shared with
    # who opened it, who may close it, but should leave reading to the callbacks.
    # @param descriptor [Integer] of a TCP or Unix socket
    # @param handler [Object] the callbacks object
    # @return [Object] the handler
    # @raise [ArgumentError, TypeError]
    def attach_fd(descriptor, handler)
      Clients.add(Connect.attaching(descriptor, handler))
      handler
    end
  end
end
