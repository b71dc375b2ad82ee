# frozen_string_literal: true

# How a server ends.
RSpec.describe 'Stopping' do
  def start(*args)
    @server = boot(<<~'RUBY', '-w', '1', '-t', '2', *args)
      run(lambda do |env|
        warn "begun #{env['PATH_INFO']}"
        plain = { 'content-type' => 'text/plain' }
        case env['PATH_INFO']
        when '/second'
          sleep 1
          [200, plain, ['done']]
        when '/stream'
          [200, plain, Enumerator.new { |out| 10.times { |n| out << n.to_s; sleep 0.1 } }]
        when '/ever'
          sleep 60
          [200, plain, ['never']]
        else [200, plain, ['ok']]
        end
      end)
    RUBY
  end

  def begin_request(path)
    client = dial(timeout: 10).write("GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n")
    @server.wait_for("begun #{path}")
    client
  end

  %i[TERM INT].each do |signal|
    it "answers at #{signal} what was begun, streams too, and takes nothing new" do
      start
      idle = dial
      idle.get
      second = begin_request('/second')
      stream = begin_request('/stream')
      @server.kill(signal)
      expect(idle.rest).to eq('')
      eventually { refused? }
      answer = second.receive
      expect([answer.body, answer.headers['connection']]).to eq(%w[done close])
      expect(stream.receive.body).to eq('0123456789')
      expect(@server.wait(timeout: 5)).to be_success
    end
  end

  def refused?
    dial(&:close) && false
  rescue Errno::ECONNREFUSED
    true
  end

  # Connections at the server's port, as the kernel has them.
  def established
    port = format(':%04X', @server.port)
    lines = Dir['/proc/net/tcp{,6}'].flat_map { |file| File.readlines(file) }
    lines.count { |line| line.split.then { |_, local, _, state| local.end_with?(port) && state == '01' } }
  end

  it 'answers what waits to be accepted' do
    start
    @server.kill(:STOP)
    clients = Array.new(50) { dial(timeout: 10).write("GET / HTTP/1.1\r\nHost: spec\r\n\r\n") }
    eventually { established >= 50 } # on a busy machine the kernel hands them over later
    @server.kill(:TERM)
    @server.kill(:CONT)
    expect(clients.map { |client| client.receive.body }).to all(eq('ok'))
  end

  it 'ends at once when only idle connections are there' do
    start
    3.times { dial.get }
    @server.kill
    expect(@server.wait(timeout: 3)).to be_success
  end

  it 'cuts off at the shutdown time-out, and says how many' do
    start('--shutdown-timeout', '1')
    client = begin_request('/ever')
    @server.kill
    expect(client.receive.status).to eq(503)
    expect(client.rest).to eq('')
    @server.wait(timeout: 8)
    expect(@server.stderr).to match(/1 request was cut off/)
  end

  it 'ends at the second INT without waiting' do
    start
    client = begin_request('/ever')
    @server.kill(:INT)
    sleep 0.5
    expect(@server).not_to be_exited
    @server.kill(:INT)
    expect(client.rest).not_to include('never')
    @server.wait(timeout: 8)
    expect(@server.stderr).to match(/1 request was cut off/)
  end
end
