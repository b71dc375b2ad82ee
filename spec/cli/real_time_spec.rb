# frozen_string_literal: true

RSpec.describe 'Options of the program iodine for WebSockets and event streams' do
  ECHO_RU = <<~RUBY
    class Echo
      def on_open(client) = client.write(client.timeout.to_s)
      def on_message(client, data)
        return client.write(data) unless data == 'flood'
        nil while client.write('x' * 100_000)
      end
    end
    run(lambda do |env|
      env['rack.upgrade'] = Echo.new if env['rack.upgrade?']
      [200, { 'content-type' => 'text/plain' }, ['plain']]
    end)
  RUBY

  def boot_echo(*arguments)
    @server = boot(ECHO_RU, '-w', '1', '-t', '2', *arguments)
  end

  # An open WebSocket that has said its time-out, which is in @timeout.
  def connect(headers = {}, deflate: nil)
    Support::WebSocket.new(dial, '/', headers, deflate: deflate).tap { |socket| @timeout = socket.receive }
  end

  it 'are ping, max-msg, compression and origins at their defaults' do
    boot_echo
    socket = connect({ 'origin' => 'https://anywhere.example' }, deflate: '')
    expect(@timeout).to eq('40')
    expect(socket.deflate).not_to be_nil
    expect(socket.binary('x' * 256_000).receive.bytesize).to eq(256_000)
    expect(socket.frame(2, 'x', length: 1_100_000).closing).to eq([1009, ''])
  end

  [%w[-ping 1], %w[--ping 1], %w[-ping=1], %w[-ping1]].each do |arguments|
    it "ping after a second with #{arguments.join(' ')}" do
      boot_echo(*arguments)
      expect(connect.read_frame.opcode).to eq(9)
      events = Support::EventStream.new(dial)
      expect(events.data).to eq('1')
      expect(events.read.comments).to eq(['ping'])
    end
  end

  it 'never ping with -ping 0' do
    boot_echo('-ping', '0')
    connect
    expect(@timeout).to eq('0')
  end

  [%w[-maxms 1], %w[-max-msg 1], %w[--max-msg=1], %w[-maxms1]].each do |arguments|
    it "limit messages to a KB with #{arguments.join(' ')}" do
      boot_echo(*arguments)
      expect(connect.text('x' * 1024).receive.bytesize).to eq(1024)
      expect(connect.text('x' * 1025).closing).to eq([1009, ''])
    end
  end

  it 'compress nothing with --no-deflate' do
    boot_echo('--no-deflate')
    expect(Support::WebSocket.new(dial, '/', { 'sec-websocket-extensions' => 'permessage-deflate' }).deflate).to be_nil
  end

  it 'let those pages in that --allowed-origin names, which may repeat' do
    boot_echo('--allowed-origin', 'https://example.com', '--allowed-origin=https://*.example.org:8443')
    ['https://example.com', 'https://www.example.org:8443', nil].each { |origin| connect({ 'origin' => origin }) }
    ['http://example.com', 'https://www.example.org', 'https://example.com.evil.net', 'null'].each do |origin|
      expect { connect({ 'origin' => origin }) }.to raise_error(Support::WebSocket::Refused, /403/)
    end
    expect(@server.get.body).to eq('plain')
  end

  it 'close who lets more than --max-pending pile up' do
    boot_echo('--max-pending', '1')
    connect.text('flood')
    @server.wait_for(/WARNING: closed a connection .* pile up unread: max-pending is reached/)
  end

  [%w[-ping 256], %w[-ping -1], %w[-ping soon], %w[-ping], %w[-maxms 0], %w[-maxms many], %w[--allowed-origin example.com],
   %w[--allowed-origin https://], %w[--allowed-origin https://*], %w[--no-deflate=1]].each do |arguments|
    it "answer #{arguments.join(' ')} with one line and exit status 64" do
      out, err, status = run_cli(*arguments, write_file(work_dir, 'config.ru', ECHO_RU))
      expect([status.exitstatus, out, err.lines.size]).to eq([64, '', 1]), err
      expect(err).to match(/\Aiodine: .*#{Regexp.escape(arguments.first.split('=').first)}/)
    end
  end
end
