# frozen_string_literal: true

# Time limits. What is checked is the order of events and bounds with much room, not the clock.
RSpec.describe 'HTTP time limits' do
  before(:context) do
    @server = boot(<<~'RUBY', '-t', '2', '-k', '2', '--head-timeout', '1', '--body-timeout', '1', '--write-timeout', '1')
      big = 'x' * 20_000_000
      run(lambda do |env|
        case env['PATH_INFO']
        when '/big' then [200, { 'content-type' => 'text/plain' }, [big]]
        when '/stream'
          [200, { 'content-type' => 'text/plain' }, Enumerator.new { |out| 2_000.times { out << big[0, 10_000] } }]
        when '/slow'
          sleep 3
          [200, { 'content-type' => 'text/plain' }, ['slow']]
        else [200, { 'content-type' => 'text/plain' }, [env['rack.input'].read.to_s]]
        end
      end)
    RUBY
  end

  let(:client) { dial }

  # Seconds until the block returns.
  def took
    before = Support::Deadline.now
    yield
    Support::Deadline.now - before
  end

  it 'answers 408 to a head that does not end, and closes' do
    seconds = took do
      client.write("GET / HTTP/1.1\r\nHost: sp")
      expect(client.receive.status).to eq(408)
      expect(client.rest).to eq('')
    end
    expect(seconds).to be_between(0.8, 6)
  end

  it 'does not let a trickling head put its end off' do
    trickle = Thread.new do
      client.try_write("GET / HTTP/1.1\r\nHost: spec\r\n")
      40.times do
        client.try_write('x')
        sleep 0.1
      end
    end
    seconds = took { expect(client.receive.status).to eq(408) }
    expect(seconds).to be < 3.5
    trickle.kill.join
  end

  it 'counts the head of a second request from its first byte' do
    expect(client.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200)
    sleep 1.2 # past the time for a head, within keep-alive
    expect(client.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200)
    client.write('GET / HT')
    expect(client.receive.status).to eq(408)
  end

  it 'answers 408 to a body that stops coming, and closes' do
    client.write("POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: 10\r\n\r\nhel")
    expect(client.receive.status).to eq(408)
    expect(client.rest).to eq('')
  end

  it 'is patient with a body that comes slowly but comes' do
    client.write("POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: 10\r\n\r\n")
    10.times do |n|
      client.write(n.to_s)
      sleep 0.2
    end
    expect(client.receive.body).to eq('0123456789')
  end

  it 'closes an idle connection without a word, an active one not' do
    active = dial
    expect(client.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200)
    talk = Thread.new do
      10.times do
        active.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n")
        sleep 0.4
      end
    end
    expect(client.rest).to eq('')
    expect(talk).to be_alive
    talk.join
    expect(active.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200)
  end

  it 'closes a connection that never sends a byte' do
    expect(client.rest(within: 8)).to eq('').or start_with('HTTP/1.1 408 ')
  end

  it 'gives the application all the time it needs' do
    expect(dial(timeout: 10).get('/slow').body).to eq('slow')
  end

  ['/big', '/stream'].each do |path|
    it "gives up on a client that does not read #{path}" do
      expect(client.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200)
      before = @server.descriptors
      client.write("GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n")
      eventually(within: 8) { @server.descriptors < before }
      expect(client.rest.bytesize).to be < 20_000_000
    end
  end

  it 'serves a client that reads slowly but reads' do
    client.write("GET /big HTTP/1.1\r\nHost: spec\r\nConnection: close\r\n\r\n")
    read = Array.new(5) do
      sleep 0.4
      client.read(2_000_000).bytesize
    end
    expect(read.sum + client.rest.bytesize).to be > 20_000_000
  end
end

# What a request has to wait for is limited also while the answers before it are not read, and nothing limits those.
RSpec.describe 'HTTP time limits without --write-timeout' do
  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '1', '--head-timeout', '1', '--body-timeout', '1', '--write-timeout', '0')
      run ->(_env) { [200, { 'content-type' => 'text/plain' }, ['x' * 60_000]] }
    RUBY
  end

  # Reads little of what comes.
  def reluctant
    socket = Socket.new(:INET, :STREAM)
    socket.setsockopt(:SOCKET, :RCVBUF, 4096)
    socket.connect(Addrinfo.tcp('127.0.0.1', @server.port))
    Support::RawClient.new(socket, timeout: 10)
  end

  { 'a head' => 'GET /', 'a body' => "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n" }.each do |what, unfinished|
    it "answers 408 to #{what} that does not end, however much of the answers before was read" do
      clients = (20..80).map { |count| reluctant.write(("GET / HTTP/1.1\r\nHost: x\r\n\r\n" * count) + unfinished) }
      sleep 0.3 # answers fill the sockets, of some to the last byte
      ends = clients.map { |client| Thread.new { client.rest(within: 40) } }.map(&:value)
      expect(ends.map { |bytes| bytes[%r{HTTP/1\.1 408 .*\z}m] && 408 }).to all(eq(408))
    end
  end
end
