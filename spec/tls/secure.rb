# frozen_string_literal: true

# For specs of TLS: an authority for a group of examples, and clients that trust it.
module Secure
  def self.included(group)
    group.before(:context) do
      @authority = Support::Authority.new(work_dir)
      @site = @authority.issue('example.test', names: %w[example.test www.example.test])
    end
  end

  # The CLI's options for the site's certificate.
  def site_options(pair = @site)
    ['-tls-cert', pair.certificate, '-tls-key', pair.key]
  end

  # A raw connection over TLS to @server.
  # @param name [String] asked for and verified
  # @param session [OpenSSL::SSL::Session, nil] to resume
  # @param pair [Support::Authority::Pair, nil] the client's certificate
  # @yield [OpenSSL::SSL::SSLContext] to change it
  def secure(name = 'example.test', session: nil, pair: nil, port: @server.port)
    context = @authority.client_context(pair)
    yield context if block_given?
    client = Support::RawClient.secure(port, name, context, session: session)
    cleanups << -> { client.close }
    client
  end

  def ssl_of(client)
    client.socket.ssl
  end

  # curl that trusts the authority and finds the site at @server.
  def curl_site(path = '/', *args, name: 'example.test', scheme: 'https', port: @server.port)
    curl('--cacert', @authority.path, '--resolve', "#{name}:#{port}:127.0.0.1", *args, "#{scheme}://#{name}:#{port}#{path}")
  end

  # What `openssl s_client` says, at most 10 seconds.
  # @param input [String] is sent, then it ends
  def s_client(*args, input: '', name: 'example.test')
    out, = Open3.capture2e('timeout', '10', 'openssl', 's_client', '-connect', "127.0.0.1:#{@server.port}",
                           '-servername', name, *args, stdin_data: input, binmode: true)
    out
  end

  # The subject's common name that the server shows to who asks for a name.
  def shown_to(name, &block)
    context = @authority.client_context
    context.verify_mode = OpenSSL::SSL::VERIFY_NONE
    context.verify_hostname = false
    block&.call(context)
    client = Support::RawClient.secure(@server.port, name, context)
    ssl_of(client).peer_cert.subject.to_a.find { |part| part.first == 'CN' }[1]
  ensure
    client&.close
  end
end
