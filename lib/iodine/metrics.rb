# frozen_string_literal: true

# How the server is doing.
module Iodine
  # Where the server tells how it is doing: DEFAULT_SETTINGS[:metrics]. C answers there, whatever Ruby is busy with.
  # @api private
  module Metrics
    PAGE = File.join(__dir__, 'metrics', 'page.html')
    HOST_AND_PORT = /\A(?<host>\[[^\]]+\]|[^:\[\]]*):(?<port>\d+)\z/
    # What its listener has of its own. It is never too busy for one more.
    SETTINGS = { public: nil, log: false, raw: nil, trusted_proxy: [], proxy_protocol: false, allowed_origin: [],
                 max_per_address: 0, max_queue: 0, queue_timeout: 0, request_timeout: 0, max_body: 1,
                 max_clients: 1 << 20, timeout: 40, head_timeout: 10, body_timeout: 10, write_timeout: 10 }.freeze

    @listener = nil

    class << self
      # @return [Listener, nil]
      attr_reader :listener

      # @param server [Server] that isn't open yet: the one that answers
      # @raise [RuntimeError] with the address and the reason
      def bind(server)
        address = DEFAULT_SETTINGS[:metrics]
        return if address.nil?

        options = DEFAULT_SETTINGS.merge(SETTINGS, inside: page)
        @listener = Listener.new(nil, [endpoint(address)], options, nil)
        @listener.bind(server)
      end

      # @return [Array<String>] of URLs
      def names
        @listener ? @listener.names : []
      end

      def close
        @listener&.remove
        @listener = nil
      end

      # @param address [Integer, String] a port alone is one of this machine
      # @param given [String] what it was given as, for the message
      # @return [Endpoint]
      # @raise [ArgumentError]
      def endpoint(address, given = 'metrics')
        text = address.to_s
        text = "localhost:#{text}" if text.match?(/\A\d+\z/)
        parts = HOST_AND_PORT.match(text.delete_prefix('http://').delete_suffix('/'))
        return Endpoint.new('http', parts[:host].delete('[]'), parts[:port]) if parts
        return Endpoint.parse(text.sub(%r{\Aunix:(?=/[^/])}, 'unix://'), 0) if text.match?(%r{\A(?:unix:)?/})

        raise ArgumentError, "#{given}: #{address.inspect} is no address: give a port, HOST:PORT or unix:///path"
      end

      private

      # With what a browser may run of it: nothing but what is written there.
      def page
        html = File.binread(PAGE)
        style, script = %w[style script].map { |tag| digest(html[%r{<#{tag}>(.*)</#{tag}>}m, 1]) }
        [html, "default-src 'none'; script-src '#{script}'; style-src '#{style}'; connect-src 'self'; img-src data:; " \
               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"]
      end

      def digest(text)
        require 'digest'
        "sha256-#{[Digest::SHA256.digest(text)].pack('m0')}"
      end
    end
  end
  private_constant :Metrics

  class << self
    # How the whole cluster is doing, in any process of it: what `GET /stats` tells where {DEFAULT_SETTINGS}[:metrics]
    # says (docs/operations.md lists it).
    # @return [Hash] with String keys; empty when the server isn't running
    def stats
      server = Runtime.server
      return {} unless server

      require 'json'
      JSON.parse(server.stats)
    end
  end
end
