# frozen_string_literal: true

module Iodine
  module CLI
    # What the command line says of TLS.
    # @api private
    module Encryption
      KEYS = %i[tls tls_cert tls_key tls_password].freeze

      class << self
        # Makes the values' :tls an Iodine::TLS if they have anything to say.
        # @param endpoints [Array<Endpoint>] of -b
        # @raise [Option::Error] when a file is missing or bad, with its path
        def read(values, endpoints)
          asked = values.keys & KEYS
          secure = endpoints.any? { |endpoint| Secure::SCHEMES.include?(endpoint.scheme) }
          return if asked.empty? && !secure

          check(values, asked, endpoints)
          tls = TLS.new
          values[:tls] = add_certificate(tls, values) unless asked.empty?
        rescue RuntimeError => e
          raise Option::Error, e.message
        end

        private

        def check(values, asked, endpoints)
          if !values[:tls_cert] && asked != [:tls] && !asked.empty?
            raise Option::Error, "#{title((asked - [:tls]).first)} needs its certificate: -tls-cert FILE"
          end
          return unless endpoints.any? && endpoints.all? { |endpoint| Secure.plain?(endpoint) }

          raise Option::Error, "#{title(asked.first)} is of no use without a place for TLS: -b https://:443"
        end

        def title(key)
          OPTIONS.find { |option| option.key == key }.title.split(',').first
        end

        def add_certificate(tls, values)
          return tls unless values[:tls_cert]

          tls.use_certificate(certificate: values[:tls_cert], private_key: values[:tls_key],
                              password: values[:tls_password])
        end
      end
    end
  end
end
