# frozen_string_literal: true

require_relative 'saturated_app'

RSpec.describe 'Connections of one address' do
  include SaturatedApp

  # What saw that the server listens was a connection too: it is gone when another one is served.
  def boot_counting(*args)
    @server = boot_hello('-t', '1', *args)
    eventually { connect(@server, '127.0.0.1').then { |client| client.get('/', 'connection' => 'close').status == 200 && client.rest } }
  end

  # Opens connections and asks on each, until one is refused.
  # @return [Array<Support::RawClient>] those that were served
  def fill(server, most, from: '127.0.0.1')
    served = []
    while served.size <= most
      client = connect(server, from)
      return served if client.get.status == 503

      served << client
    end
    raise "more than #{most} were served"
  end

  def connect(server, from)
    socket = Socket.tcp('127.0.0.1', server.port, from, 0, connect_timeout: 5)
    Support::RawClient.new(socket, timeout: 5).tap { |client| (@open ||= []) << client }
  end

  after { @open&.each(&:close) }

  it 'are limited, others are not' do
    boot_counting('-w', '1', '--max-per-address', '5')
    expect(fill(@server, 5).size).to eq(5)
    refused = connect(@server, '127.0.0.1')
    answer = refused.get
    expect([answer.status, answer['retry-after'], answer['connection']]).to match([503, /\A[1-5]\z/, 'close'])
    expect(refused.rest).to eq('')
    expect(fill(@server, 5, from: '127.0.0.2').size).to eq(5)
  end

  it 'count until they are closed' do
    boot_counting('-w', '1', '--max-per-address', '3')
    3.times do
      expect(fill(@server, 3).size).to eq(3)
      @open.each { |client| client.shut.rest unless client.socket.closed? }
      @open.each(&:close)
    end
  end

  it 'count in all workers together, and a killed worker\'s no more' do
    boot_counting('-w', '2', '--max-per-address', '20')
    wait_for_workers(2)
    clients = fill(@server, 20)
    expect(clients.size).to eq(20)
    pids = clients.map { |client| client.get.body.to_i }
    expect(pids.uniq.size).to eq(2)
    victim = pids.first
    Process.kill(:KILL, victim)
    eventually(within: 10) { (@server.children - [victim]).size == 2 && connect(@server, '127.0.0.1').get.status == 200 }
    @open.each(&:close)
    eventually(within: 10) { fill(@server, 20).size.tap { @open.each(&:close) } == 20 }
  end

  it 'of a Unix socket are not counted' do
    path = File.join(work_dir, 'socket')
    boot_counting('-w', '1', '--max-per-address', '1', '-b', '127.0.0.1', '-b', "unix://#{path}")
    clients = Array.new(3) { Support::RawClient.unix(path) }
    expect(clients.map { |client| client.get.status }).to eq([200] * 3)
    clients.each(&:close)
  end

  it 'of a trusted proxy are not counted' do
    boot_counting('-w', '1', '--max-per-address', '1', '--trusted-proxy', '127.0.0.1')
    expect(Array.new(3) { connect(@server, '127.0.0.1').get.status }).to eq([200] * 3)
    expect(fill(@server, 1, from: '127.0.0.2').size).to eq(1)
  end

  it 'are counted for whom a PROXY header names' do
    @server = boot_hello('-w', '1', '--max-per-address', '2', '--trusted-proxy', '127.0.0.1', '--proxy-protocol')
    statuses = %w[192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.2].map do |ip|
      connect(@server, '127.0.0.1').write("PROXY TCP4 #{ip} 192.0.2.9 1000 80\r\n").get.status
    end
    expect(statuses).to eq([200, 200, 503, 200])
  end

  it 'are closed without a word past what can be told' do
    boot_counting('-w', '1', '--max-per-address', '1', '--max-clients', '4')
    expect(connect(@server, '127.0.0.1').get.status).to eq(200)
    flood = Array.new(200) { connect(@server, '127.0.0.1') }
    other = connect(@server, '127.0.0.2')
    expect(other.get.status).to eq(200)
    expect(flood.map { |client| client.try_write(get('/')).rest[9, 3] }.uniq - ['503', nil, '']).to be_empty
  end
end
