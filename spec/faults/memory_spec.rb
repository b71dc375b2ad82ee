# frozen_string_literal: true

# One request wants more memory than there is: a real limit (RLIMIT_AS) of the worker.
RSpec.describe 'A request that runs out of memory' do
  app = <<~'RUBY'
    require 'etc'
    limit = lambda do
      used = File.read('/proc/self/statm').split.first.to_i * Etc.sysconf(Etc::SC_PAGESIZE)
      Process.setrlimit(:AS, used + 300_000_000)
    end
    Iodine.on_state(:on_start, &limit)
    run(lambda do |env|
      want = Integer(env['QUERY_STRING'], exception: false).to_i
      body = 'x' * want
      [200, { 'content-type' => 'text/plain' }, [env['PATH_INFO'] == '/send' ? body : body.bytesize.to_s]]
    end)
  RUBY

  before(:context) do
    @server = boot(app, '-w', '2', '-t', '2', lint: false)
    @workers = eventually { @server.children.then { |pids| pids if pids.size == 2 } }
  end

  it 'gets 500, and the others are served on' do
    client = dial
    3.times do
      expect(client.get('/?1000000000').status).to eq(500)
      expect(client.get('/?1000000').body).to eq('1000000')
    end
    expect(@server.stderr).to include('NoMemoryError')
    expect(@server.children).to match_array(@workers)
  end

  it 'is cut off alone when there is none left to send what it made' do
    clients = Array.new(6) { dial(timeout: 15).write("GET /send?60000000 HTTP/1.1\r\nhost: x\r\n\r\n") }
    statuses = clients.map do |client|
      client.receive.status
    rescue Support::RawClient::Closed
      'closed'
    end
    expect(statuses - [200, 500, 503, 'closed']).to eq([])
    clients.each(&:close)
    eventually { @server.get('/?1000').body == '1000' }
    expect(@server.children).to match_array(@workers)
  end
end
