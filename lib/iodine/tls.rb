# frozen_string_literal: true

require_relative 'tls/pem_file'
require_relative 'tls/certificate'

module Iodine
  # What a listener needs to speak TLS 1.2 and 1.3: certificates, whom it trusts, the protocols that it offers. And what
  # {Iodine.connect} takes, which needs no certificate.
  #
  #     tls = Iodine::TLS.new("example.com", "fullchain.pem", "privkey.pem")
  #     tls.use_certificate("example.org", "org/fullchain.pem", "org/privkey.pem") # chosen by the name asked for
  #     Iodine.listen(service: :https, port: 443, tls: tls, handler: app)
  #
  #     Iodine.listen(service: :https, tls: Iodine::TLS.new("localhost"), handler: app) # a self-signed certificate
  #
  # Files are PEM. They are read at once; while iodine runs it looks every few seconds whether they changed, and loads
  # them again. A file that turned bad is named in the log, and what was loaded before goes on.
  class TLS
    # Was iodine built with TLS?
    SUPPORTED = Server::TLS::SUPPORTED
    # What an HTTP listener speaks, as ALPN names it.
    HTTP = %w[http/1.1 http/1.0].freeze
    # The arguments of use_certificate.
    NAMES = %i[server_name certificate private_key password].freeze
    private_constant :HTTP, :NAMES

    # @api private
    # @param der [String] the certificate that a client showed, and that was verified
    # @return [Hash] what env has of it
    def self.peer(der)
      Peer.env(der)
    end

    # Without arguments there is no certificate yet; else they are those of {#use_certificate}.
    # @raise [RuntimeError] when a file is missing or bad, with its path, or when iodine was built without TLS
    def initialize(*arguments, **named)
      raise unsupported unless SUPPORTED

      @certificates = []
      @trusted = []
      @protocols = {}
      use_certificate(*arguments, **named) unless arguments.empty? && named.empty?
    end

    # Adds a certificate. The first one is for clients that ask for an unknown name, or for none.
    # @param server_name [String, nil] which name it is for, `"*.example.com"` too; nil = those that the certificate has
    # @param certificate [String, nil] path of a PEM file: the certificate, then those between it and the root. Without
    #   it a self-signed certificate for the name is made
    # @param private_key [String, nil] path of a PEM file; nil = the certificate's file has the key too
    # @param password [String, nil] of the private key
    # @return [self]
    # @raise [ArgumentError, TypeError] when an argument is wrong
    # @raise [RuntimeError] when a file is missing or bad, with its path
    def use_certificate(*arguments, **named)
      raise ArgumentError, "use_certificate takes 4 arguments, not #{arguments.size}" if arguments.size > NAMES.size

      given = arguments.first.is_a?(Hash) ? arguments.first : NAMES.zip(arguments).to_h.compact
      replace(certificates: @certificates + [Certificate.new(**given, **named)])
    end

    # Clients must show a certificate that one of these authorities signed. The application finds it in
    # `env['rack.peer_cert']` and `env['SSL_CLIENT_…']`. May be called again for more files. For {Iodine.connect} it is
    # the server's certificate that must be signed by them, instead of those that the system trusts.
    # @param certificates [String] path of a PEM file
    # @return [self]
    # @raise [RuntimeError] when the file is missing or bad, with its path
    def trust(certificates)
      require_relative 'tls/peer'
      replace(trusted: @trusted + [PemFile.new(certificates, 'certificates')])
    end

    # A block to be called when a client chose this protocol (ALPN): on an application thread, before the first request
    # of the connection. HTTP listeners speak "http/1.1", and offer it without this too.
    # @param name [String] as registered for ALPN
    # @return [self]
    def on_protocol(name, &block)
      raise TypeError, "a protocol's name must be a String, not #{name.class}" unless name.is_a?(String)
      raise ArgumentError, 'on_protocol needs a block' unless block
      unless HTTP.include?(name)
        raise "the protocol #{name.inspect} is not available in this version of iodine: use \"http/1.1\""
      end

      @protocols[name] = block
      self
    end

    # @api private
    attr_reader :protocols

    # @api private
    # @return [Server::TLS] made of the files as they were when it was made
    def context
      @context ||= build
    end

    # For connections that we open: whom to trust, and a certificate of our own if there is one.
    # @api private
    # @param protocols [Array<String>] to offer
    # @return [Server::TLS] made of the files as they are
    def client_context(protocols)
      files = signature
      @clients = {} unless @client_files == files
      @client_files = files
      @clients[protocols] ||= Server::TLS.client(@certificates.map(&:to_a), trusted, protocols, @trusted.join(', '))
    end

    # Has a file changed since it was loaded?
    # @api private
    def changed?
      signature != @loaded
    end

    # @api private
    # @return [Array] equal as long as the files are
    def signature
      [*@certificates, *@trusted].flat_map(&:signature)
    end

    # Reads the files again.
    # @api private
    # @return [Server::TLS]
    # @raise [RuntimeError] with the path; the context stays as it was
    def renew
      @context = build
    end

    # @api private
    def certificate?
      !@certificates.empty?
    end

    # The files and names, for the log.
    # @return [String]
    def to_s
      [*@certificates, *@trusted].join(', ')
    end

    private

    # What is bad is found now, not when somebody listens, and is not kept.
    def replace(certificates: @certificates, trusted: @trusted)
      before = [@certificates, @trusted]
      @certificates = certificates
      @trusted = trusted
      trusted.each(&:read)
      @context = build if certificate?
      self
    rescue StandardError
      @certificates, @trusted = before
      raise
    end

    # A file that changes between the two steps is seen to have changed.
    def build
      files = signature
      made = Server::TLS.new(@certificates.map(&:to_a), trusted, HTTP, @trusted.join(', '))
      @loaded = files
      made
    end

    def trusted
      @trusted.map(&:read).join("\n") unless @trusted.empty?
    end

    def unsupported
      "this iodine was built without TLS: install OpenSSL's headers (libssl-dev, openssl-devel) and install the gem " \
        'again, without NO_SSL'
    end
  end
end
