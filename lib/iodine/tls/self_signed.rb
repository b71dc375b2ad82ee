# frozen_string_literal: true

require 'ipaddr'
require 'openssl'

module Iodine
  class TLS
    # Makes a certificate that nobody vouches for: good for development, and behind what doesn't check.
    # @api private
    module SelfSigned
      DAYS = 730
      DAY = 86_400
      NAME_MOST = 64 # characters of a common name (RFC 5280, appendix A.1)

      class << self
        # @param name [String] a host's name or address
        # @return [Array(String, String)] PEM: certificate and key
        def call(name)
          key = OpenSSL::PKey::EC.generate('prime256v1')
          certificate = describe(OpenSSL::X509::Certificate.new, name)
          certificate.public_key = key
          extend_with(certificate, names(name))
          certificate.sign(key, OpenSSL::Digest.new('SHA256'))
          [certificate.to_pem, key.to_pem]
        end

        private

        def describe(certificate, name)
          certificate.version = 2 # X.509 v3
          certificate.serial = OpenSSL::BN.rand(127)
          certificate.subject = certificate.issuer = OpenSSL::X509::Name.new([['CN', name[0, NAME_MOST]]])
          certificate.not_before = Time.now - DAY # clocks differ
          certificate.not_after = Time.now + (DAYS * DAY)
          certificate
        end

        def extend_with(certificate, names)
          factory = OpenSSL::X509::ExtensionFactory.new(certificate, certificate)
          [['basicConstraints', 'CA:FALSE', true], ['keyUsage', 'digitalSignature', true],
           ['extendedKeyUsage', 'serverAuth'], ['subjectKeyIdentifier', 'hash'],
           ['subjectAltName', names.join(',')]].each do |extension|
            certificate.add_extension(factory.create_extension(*extension))
          end
        end

        # "localhost" is reached by address too.
        def names(name)
          return %w[DNS:localhost IP:127.0.0.1 IP:::1] if name == 'localhost'

          [address?(name) ? "IP:#{name}" : "DNS:#{name}"]
        end

        def address?(name)
          IPAddr.new(name)
          true
        rescue IPAddr::Error
          false
        end
      end
    end
    private_constant :SelfSigned
  end
end
