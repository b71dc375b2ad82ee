# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'Iodine.connect that fails' do
  # Only on_close is told, once, and the log says why.
  def expect_failure(*reasons, closes: 1)
    expect_told(*(['close false 1006 nil'] * closes))
    reasons.each { |reason| @client.wait_for(reason) }
    @client.kill(:TERM)
    @client.wait
    expect(told.size).to eq(closes)
  end

  def websocket(path = '/', options = '')
    boot_client(%(CONNECT.call(url: "ws://127.0.0.1:#{@port}#{path}"#{options})))
  end

  it 'because nobody listens' do
    listen
    @listener.close
    websocket('/path?token=secret')
    expect_failure("no connection to ws://127.0.0.1:#{@port}/path: can't connect to 127.0.0.1: Connection refused")
    expect(@client.stderr).not_to include('secret')
  end

  it 'because no Unix socket is there' do
    boot_client(%(CONNECT.call(url: 'unix:///nowhere/socket')))
    expect_told('close false nil nil')
    @client.wait_for("can't connect to /nowhere/socket: No such file or directory")
  end

  it 'for every address of a host' do
    listen
    @listener.close
    boot_client(%(CONNECT.call(url: "tcp://localhost:#{@port}")))
    expect_told('close false nil nil')
    @client.wait_for("no connection to tcp://localhost:#{@port}: can't connect to ")
  end

  {
    'refuses it' => ["HTTP/1.1 403 Forbidden\r\n\r\n", 'the server answered 403'],
    'has no WebSocket there' => ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 'the server answered 200'],
    'leads elsewhere' => ["HTTP/1.1 301 Moved\r\nlocation: /\r\n\r\n", 'the server answered 301'],
    'speaks something else' => ["SSH-2.0-server\r\n", 'the server does not speak HTTP/1.1'],
    'answers to another key' => [
      "HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: #{Support::WebSocket.accept}\r\n\r\n",
      'the server answered to another key'
    ],
    'says too much' => ["HTTP/1.1 101 x\r\n#{"x: #{'y' * 1000}\r\n" * 17}", 'the server answered with a head over 16 KB']
  }.each do |what, (answer, reason)|
    it "because the server #{what}" do
      listen
      websocket
      peer = accept_websocket
      peer.raw.try_write(answer)
      expect(peer.raw.closed_by_peer?).to be(true)
      expect_failure(reason)
    end
  end

  it 'because the server chose an extension or a sub-protocol that was not offered' do
    listen
    boot_client(%(2.times { CONNECT.call(url: "ws://127.0.0.1:#{@port}") }))
    accept_websocket.answer("sec-websocket-extensions: permessage-deflate\r\n")
    accept_websocket.answer("sec-websocket-protocol: chat\r\n")
    expect_failure('chose an extension that was not offered', 'chose a sub-protocol that was not offered', closes: 2)
  end

  it 'because the server hangs up, or breaks off' do
    listen
    boot_client(%(2.times { CONNECT.call(url: "ws://127.0.0.1:#{@port}") }))
    accept_websocket.raw.shut
    accept_websocket.raw.reset
    expect_failure('the server hung up instead of an answer', 'the connection broke off', closes: 2)
  end

  it 'because the server does not answer within timeout: seconds' do
    listen
    websocket('/', ', timeout: 1')
    peer = accept_websocket
    expect(peer.raw.closed_by_peer?).to be(true)
    expect_failure('the server did not finish the handshake in time')
  end

  it 'because nothing comes back within timeout: seconds' do
    listen
    fillers = fill_queue
    websocket('/', ', timeout: 1')
    expect_failure("can't connect to 127.0.0.1: no answer in time")
    fillers.each(&:close)
  end

  # Connections until the listener's queue takes no more.
  def fill_queue
    @listener.listen(0)
    address = Socket.sockaddr_in(@port, '127.0.0.1')
    (1..).each_with_object([]) do |_, fillers|
      fillers << Socket.new(:INET, :STREAM)
      fillers.last.connect_nonblock(address, exception: false)
      return fillers unless fillers.last.wait_writable(0.2)
    end
  end

  it 'may be tried again from on_close, and from a timer' do
    listen
    boot_client(%(CONNECT.call(url: "ws://127.0.0.1:#{@port}")), callbacks: <<~RUBY)
      def on_close(client)
        log('close', client.open?)
        @tries = @tries.to_i + 1
        return Iodine.connect(url: "ws://127.0.0.1:#{@port}", handler: self) if @tries == 1

        Iodine.run_after(1) { Iodine.connect(url: "ws://127.0.0.1:#{@port}", handler: self) } if @tries == 2
      end
    RUBY
    2.times { accept_websocket.raw.close }
    accept_websocket.answer
    expect_told('close false', 'close false', 'open websocket true')
  end

  it 'leaves a client that knows that it is closed' do
    listen
    @listener.close
    boot_client(%(CONNECT.call(url: "tcp://127.0.0.1:#{@port}")), callbacks: <<~RUBY)
      def on_close(client)
        log([client.open?, client.write('x'), client.close, client.pending, client.subscribe(:x), client.protocol].inspect)
      end
    RUBY
    expect_told('[false, nil, nil, -1, nil, :raw]')
  end

  it 'needs no on_close' do
    listen
    @listener.close
    boot_client(<<~RUBY)
      Iodine.connect(url: "tcp://127.0.0.1:#{@port}", handler: Object.new)
      CONNECT.call(url: "tcp://127.0.0.1:#{@port}")
    RUBY
    expect_told('close false nil nil')
  end
end
