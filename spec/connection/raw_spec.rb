# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Raw connections' do
  it 'echo what comes whole, byte by byte, and cut anywhere' do
    @server = boot_raw(ConnectionApp::ECHO)
    client = dial
    bytes = Random.bytes(300)
    expect(client.write(bytes).read(300)).to eq(bytes)
    bytes.each_char { |byte| client.write(byte) }
    expect(client.read(300)).to eq(bytes)
    (1...40).each { |cut| client.write(bytes.byteslice(0, cut)).write(bytes.byteslice(cut..)) }
    expect(client.read(39 * 300)).to eq(bytes * 39)
  end

  it 'give bytes as binary Strings, write text as it is and what is no String by its to_s' do
    @server = boot_raw(<<~'RUBY')
      def on_message(client, data)
        client.write("#{data.encoding} é #{client.write('')} ")
        client.write(:symbol)
        client.write(12)
        client.write(nil)
        client.write("\n")
      end
    RUBY
    expect(dial.write("\xC3\xA9").read(28).force_encoding('UTF-8')).to eq("ASCII-8BIT é true symbol12\n")
  end

  it 'keep order, also of megabytes for a client that reads slowly' do
    @server = boot_raw(<<~RUBY)
      def on_message(client, _data)
        200.times { |n| client.write(n.to_s.rjust(10) * 5000) }
        log 'pending', client.pending.between?(1, 200)
      end
      def on_drained(client) = log('drained', client.pending)
    RUBY
    client = dial.write('go')
    eventually { logged.include?('pending true') }
    expect(client.read(10_000_000)).to eq((0...200).map { |n| n.to_s.rjust(10) * 5000 }.join)
    eventually { logged.include?('drained 0') }
  end

  it 'lend large Strings, which stay the application\'s to change' do
    @server = boot_raw(<<~RUBY)
      def on_message(client, _data)
        string = 'a' * 1_000_000
        client.write(string)
        string.replace('b' * 1_000_000)
        GC.start
        client.write(string)
      end
    RUBY
    expect(dial.write('go').read(2_000_000)).to eq(('a' * 1_000_000) + ('b' * 1_000_000))
  end

  it 'make a client wait that sends faster than it is heard' do
    @server = boot_raw(<<~RUBY, threads: 1)
      def on_open(_client) = (@size = 0)
      def on_message(client, data)
        sleep 0.3 if @size.zero?
        @size += data.bytesize
        client.write('done') if @size == 8_000_000
      end
    RUBY
    before = @server.rss
    client = dial
    sent = client.write_until_blocked('x' * 8_000_000, patience: 0.05)
    grown = @server.rss - before
    client.write('x' * (8_000_000 - sent))
    expect(client.read(4)).to eq('done')
    expect(grown).to be < 6_000_000
  end

  it 'answer a client that has sent FIN' do
    @server = boot_raw(<<~RUBY)
      def on_message(client, data)
        sleep 0.1
        client.write(data * 2)
      end
      def on_close(client) = log('closed', client.open?, client.pending, client.write('x').inspect)
    RUBY
    expect(dial.write('abc').shut.rest).to eq('abcabc')
    eventually { logged.include?('closed false -1 nil') }
  end

  it 'close after what is pending' do
    @server = boot_raw(<<~RUBY)
      def on_message(client, _data)
        client.write('x' * 3_000_000)
        log client.close.inspect, client.open?, client.write('more').inspect, client.pending
      end
      def on_close(_client) = log('closed')
    RUBY
    before = eventually { logged.count('closed').nonzero? }
    expect(dial.write('go').rest.bytesize).to eq(3_000_000)
    eventually { logged.include?('nil false nil -1') && logged.count('closed') == before + 1 }
  end

  it 'are closed with a line when too much piles up, and nobody else waits' do
    @server = boot_raw(<<~RUBY, listen: 'max_pending: 1')
      def on_message(client, data)
        return client.write(data) unless data == 'flood'
        nil while client.write('x' * 100_000)
        log 'refused', client.open?
      end
      def on_close(client) = log('closed', client.pending)
    RUBY
    reader = dial
    dial.write('flood')
    eventually { logged.include?('refused false') && logged.include?('closed -1') }
    expect(reader.write('hello').read(5)).to eq('hello')
    @server.wait_for(/WARNING: closed a connection of 127\.0\.0\.1 that let \d+ bytes pile up unread: max-pending/)
  end

  it 'are told of the close once, however it came' do
    @server = boot_raw(<<~RUBY, listen: 'timeout: 1')
      def on_message(client, data) = data == 'close' ? client.close : client.write('ok')
      def on_close(_client) = log('closed')
    RUBY
    before = eventually { logged.count('closed').nonzero? } # the connection that waited for the port
    dial.shut
    dial.tap { |client| client.write('x').read(2) }.reset
    dial.write('close')
    dial
    dial.close
    eventually { logged.count('closed') == before + 5 }
    sleep 0.2
    expect(logged.count('closed')).to eq(before + 5)
  end

  it 'know the client that a proxy names' do
    @server = boot_raw(<<~RUBY, listen: 'proxy_protocol: true, trusted_proxy: "127.0.0.1"')
      def on_message(client, data) = client.write("\#{client.peer_addr} \#{data}")
    RUBY
    expect(dial.write("PROXY TCP4 192.0.2.7 192.0.2.1 5000 80\r\nhi").read(12)).to eq('192.0.2.7 hi')
  end

  it 'belong to the process that serves: a forked copy does nothing to them' do
    @server = boot_raw(<<~RUBY)
      def on_message(client, data)
        told = IO.popen('-') do |child|
          next child.read if child
          print [client.open?, client.write('x'), client.defer { }, client.close, client.pending].inspect
          GC.start
          $stdout.flush
          exit!(0)
        end
        client.write("\#{told} \#{data}")
      end
    RUBY
    expect(dial.write('hi').read(29)).to eq('[false, nil, nil, nil, -1] hi')
  end

  it 'work on a Unix socket' do
    path = File.join(work_dir, 'raw.sock')
    @server = boot_raw(ConnectionApp::ECHO, setup: <<~RUBY)
      Iodine.listen(url: 'unix://#{path}') { Class.new { def on_message(c, d) = c.write("\#{c.peer_addr} \#{d}") }.new }
    RUBY
    client = Support::RawClient.unix(path)
    expect(client.write('hi').read(12)).to eq('127.0.0.1 hi')
    client.close
  end

  it 'are opened by the listener\'s handler, which may refuse' do
    @server = boot_raw('', setup: <<~RUBY)
      answers = [nil, false, :raise]
      Iodine.listen(service: :raw, address: '127.0.0.1', port: 0, handler: (lambda do
        answer = answers.shift
        raise 'on purpose' if answer == :raise
        answer
      end))
    RUBY
    port = @server.wait_for(%r{listening on tcp://127\.0\.0\.1:(?!#{@server.port}$)(\d+)})[1].to_i
    3.times { expect(Support::RawClient.tcp(port).rest).to eq('') }
    @server.wait_for(/ERROR: on_open: on purpose \(RuntimeError\)/)
  end
end
