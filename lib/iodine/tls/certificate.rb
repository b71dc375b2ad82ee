# frozen_string_literal: true

module Iodine
  class TLS
    # A certificate with its key, from files, or self-signed and made here.
    # @api private
    class Certificate
      def initialize(server_name: nil, certificate: nil, private_key: nil, password: nil)
        @name = string('server_name', server_name)
        @password = string('password', password)
        certificate ? use_files(certificate, private_key) : sign_itself(private_key)
      end

      # As Server::TLS takes it.
      def to_a
        chain, key = @pem || [@chain.read, @key.read]
        raise "the private key #{@key} is encrypted: give its password" if !@password && key.include?('ENCRYPTED')

        [@name, chain, key, @password, @chain.to_s, @key.to_s]
      end

      def to_s
        @chain.to_s
      end

      def signature
        @pem ? [@pem.hash] : @chain.signature + @key.signature
      end

      private

      def string(what, value)
        return value if value.nil? || value.is_a?(String)

        raise TypeError, "#{what} must be a String, not #{value.class}"
      end

      def use_files(certificate, private_key)
        @chain = PemFile.new(certificate, 'certificate')
        @key = PemFile.new(private_key || certificate, 'private key')
      end

      def sign_itself(private_key)
        raise ArgumentError, 'a private key without its certificate: name that too' if private_key
        raise ArgumentError, 'a certificate needs a server name, or the path of its file' unless @name

        require_relative 'self_signed'
        @pem = SelfSigned.call(@name)
        @chain = @key = "the self-signed certificate for #{@name}"
      end
    end
    private_constant :Certificate
  end
end
