# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Raw connections over TLS' do
  def context
    OpenSSL::SSL::SSLContext.new.tap { |context| context.verify_mode = OpenSSL::SSL::VERIFY_NONE }
  end

  def dial_secure(port)
    Support::SecureSocket.new(port, 'localhost', context).then { |socket| Support::RawClient.new(socket, timeout: 5) }
  end

  before do
    @server = boot_raw(<<~RUBY, setup: <<~LISTEN)
      def on_open(client) = client.write("hello \#{client.protocol}")
      def on_message(client, data) = data == 'end' ? client.close : client.write(data)
      def on_close(_client) = log('closed')
    RUBY
      Iodine.listen(service: :tls, address: '127.0.0.1', port: 0) { Callbacks.new }
    LISTEN
    @port = @server.wait_for(%r{listening on tls://127\.0\.0\.1:(\d+)})[1].to_i
  end

  it 'are opened after the handshake, echo and close' do
    client = dial_secure(@port)
    expect(client.read(9)).to eq('hello raw')
    bytes = Random.bytes(1_000_000)
    writer = Thread.new { client.write(bytes) }
    expect(client.read(1_000_000)).to eq(bytes)
    writer.join
    expect(client.write('end').rest).to eq('')
  end

  it 'are closed without a word when they speak in clear, and no callback hears of it' do
    before = eventually { logged.count('closed').nonzero? }
    client = Support::RawClient.tcp(@port)
    expect(client.try_write("hello in clear\r\n").rest).not_to include('hello')
    client.close
    expect(logged.count('closed')).to eq(before)
  end
end
