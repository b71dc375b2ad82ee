# frozen_string_literal: true

module Iodine
  # What a WebSocket's client asks for, as Server::Client takes it.
  # @api private
  module Handshake
    class << self
      # @param secure [Boolean] is TLS spoken?
      # @param given [Hash] of method, headers, cookies and body
      # @return [Hash]
      # @raise [TypeError]
      def call(remote, secure, given)
        headers = pairs(:headers, given[:headers])
        host = take(headers, 'host').last
        {
          method: given[:method]&.to_s, target: remote.target, host: host || remote.host,
          port: host || remote.local? ? 0 : remote.port, secure: secure,
          protocols: take(headers, 'sec-websocket-protocol').join(', '), headers: headers,
          cookies: pairs(:cookies, given[:cookies]), body: given[:body]&.to_s
        }
      end

      private

      # A value may be an Array: then there is a line for each.
      def pairs(what, hash)
        return [] if hash.nil?
        raise TypeError, "#{what} must be a Hash, not #{hash.class}" unless hash.is_a?(Hash)

        hash.flat_map { |name, value| Array(value).map { |one| [name.to_s, one.to_s] } }
      end

      # The values of that name, which leave the list.
      def take(headers, name)
        found, rest = headers.partition { |header, _| header.casecmp?(name) }
        headers.replace(rest)
        found.map(&:last)
      end
    end
  end
  private_constant :Handshake
end
