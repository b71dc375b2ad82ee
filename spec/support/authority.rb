# frozen_string_literal: true

require 'openssl'

module Support
  # A certificate authority for the specs: keys and certificates as PEM files of a folder.
  #
  #   ca = Authority.new(work_dir)
  #   site = ca.issue('example.test', names: %w[example.test *.example.test])
  #   site.certificate, site.key   # paths
  class Authority
    Pair = Struct.new(:certificate, :key)
    DAY = 86_400
    # Leaf certificates by what they are for.
    USES = { server: 'serverAuth', client: 'clientAuth' }.freeze

    # @return [String] path of its own certificate
    attr_reader :path

    def initialize(dir, name: 'iodine spec authority')
      @dir = dir
      @key = OpenSSL::PKey::EC.generate('prime256v1')
      @certificate = sign(name, @key, @key.public_to_pem, [
                            ['basicConstraints', 'CA:TRUE', true], ['keyUsage', 'keyCertSign, cRLSign', true],
                            %w[subjectKeyIdentifier hash]
                          ])
      @path = write('authority', 'pem', @certificate.to_pem)
    end

    # @param name [String] the common name
    # @param names [Array<String>] the subject's alternative names
    # @param rsa [Integer, nil] bits of an RSA key; nil: P-256
    # @param password [String, nil] encrypts the key
    # @param days [Range] of validity, from now
    # @param use [Symbol] :server or :client
    # @return [Pair] paths
    def issue(name, names: [name], rsa: nil, password: nil, days: -1..80, use: :server, file: name.tr('*/ ', '_'))
      key = rsa ? OpenSSL::PKey::RSA.new(rsa) : OpenSSL::PKey::EC.generate('prime256v1')
      certificate = sign(name, @key, key.public_to_pem, [
                           ['basicConstraints', 'CA:FALSE', true], ['keyUsage', 'digitalSignature', true],
                           ['extendedKeyUsage', USES.fetch(use)], %w[subjectKeyIdentifier hash],
                           %w[authorityKeyIdentifier keyid], ['subjectAltName', names.map { |one| "DNS:#{one}" }.join(',')]
                         ], days: days)
      cipher = OpenSSL::Cipher.new('aes-256-cbc') if password
      Pair.new(write(file, 'crt', certificate.to_pem), write(file, 'key', key.private_to_pem(*[cipher, password].compact)))
    end

    # For a Ruby client: trusts this authority.
    # @return [OpenSSL::SSL::SSLContext]
    def client_context(pair = nil)
      OpenSSL::SSL::SSLContext.new.tap do |context|
        context.set_params(ca_file: path)
        next unless pair

        context.cert = OpenSSL::X509::Certificate.new(File.read(pair.certificate))
        context.key = OpenSSL::PKey.read(File.read(pair.key))
      end
    end

    private

    def sign(name, key, public_key, extensions, days: -1..3650)
      OpenSSL::X509::Certificate.new.tap do |certificate|
        certificate.version = 2
        certificate.serial = OpenSSL::BN.rand(100)
        certificate.subject = OpenSSL::X509::Name.new([['CN', name]])
        certificate.issuer = @certificate ? @certificate.subject : certificate.subject
        certificate.not_before = Time.now + (days.begin * DAY)
        certificate.not_after = Time.now + (days.end * DAY)
        certificate.public_key = OpenSSL::PKey.read(public_key)
        factory = OpenSSL::X509::ExtensionFactory.new(@certificate || certificate, certificate)
        extensions.each { |extension| certificate.add_extension(factory.create_extension(*extension)) }
        certificate.sign(key, OpenSSL::Digest.new('SHA256'))
      end
    end

    # Over what is there: as renewals do it, the file is another one then.
    def write(name, extension, text)
      path = File.join(@dir, "#{name}.#{extension}")
      File.write("#{path}.new", text)
      File.rename("#{path}.new", path)
      path
    end
  end
end
