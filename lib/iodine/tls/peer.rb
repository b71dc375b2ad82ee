# frozen_string_literal: true

require 'openssl'

module Iodine
  class TLS
    # What an application's env has of a client's certificate, which was verified: names as nginx and Apache have them.
    # @api private
    module Peer
      MOST = 256 # certificates to remember: a client shows the same one with each connection
      TIME = '%b %e %H:%M:%S %Y GMT'

      @known = {}

      class << self
        # @param der [String] the certificate
        # @return [Hash] frozen
        def env(der)
          @known[der] || remember(der.dup.freeze)
        end

        private

        def remember(der)
          @known.clear if @known.size >= MOST
          @known[der] = describe(OpenSSL::X509::Certificate.new(der)).freeze
        end

        def describe(certificate)
          {
            'rack.peer_cert' => certificate.freeze,
            'SSL_CLIENT_VERIFY' => 'SUCCESS',
            'SSL_CLIENT_CERT' => certificate.to_pem,
            'SSL_CLIENT_S_DN' => name(certificate.subject),
            'SSL_CLIENT_I_DN' => name(certificate.issuer),
            'SSL_CLIENT_M_SERIAL' => certificate.serial.to_s(16),
            'SSL_CLIENT_V_START' => certificate.not_before.utc.strftime(TIME),
            'SSL_CLIENT_V_END' => certificate.not_after.utc.strftime(TIME)
          }.transform_values { |value| value.is_a?(String) ? value.b.freeze : value }
        end

        def name(name)
          name.to_s(OpenSSL::X509::Name::RFC2253)
        end
      end
    end
    private_constant :Peer
  end
end
