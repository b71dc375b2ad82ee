# frozen_string_literal: true

# Clients that misbehave or are unlucky, and those beside them.
RSpec.describe 'Difficult clients' do
  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '4', '--head-timeout', '1', lint: false) # Lint of Rack 2 makes a stream of each Array
      big = 'x' * 5_000_000
      run(lambda do |env|
        plain = { 'content-type' => 'text/plain' }
        case env['PATH_INFO']
        when '/slow'
          sleep 0.3
          [200, plain, ['slow']]
        when '/spin'
          ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 3
          nil while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
          [200, plain, ['spun']]
        when '/big' then [200, plain, [big]]
        when '/stream' then [200, plain, Enumerator.new { |out| 500.times { out << big[0, 10_000] } }]
        else [200, plain, [env['rack.input'].read.bytesize.to_s]]
        end
      end)
    RUBY
  end

  def request(path)
    "GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n"
  end

  it 'answers a client that has sent FIN behind its request' do
    %w[/ /slow].each do |path|
      client = dial.write(request(path)).shut
      expect(client.receive.status).to eq(200)
      expect(client.rest).to eq('')
    end
  end

  it 'answers all that a client had pipelined before its FIN' do
    client = dial.write(request('/slow') + (request('/') * 20)).shut
    expect(Array.new(21) { client.receive.status }.uniq).to eq([200])
    expect(client.rest).to eq('')
  end

  it 'streams to a client that has sent FIN' do
    client = dial.write(request('/stream')).shut
    expect(client.receive.body.bytesize).to eq(5_000_000)
  end

  it 'survives resets in the head, in the body, before the answer and in the middle of it' do
    dial(&:get)
    before = @server.descriptors
    10.times do
      dial { |client| client.write('GET / HTTP/1.1').reset }
      dial { |client| client.write("POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: 900000\r\n\r\n#{'x' * 100_000}").reset }
      dial { |client| client.write(request('/slow')).reset }
      %w[/big /stream].each do |path|
        dial do |client|
          client.write(request(path)).read(1_000)
          client.reset
        end
      end
    end
    eventually(within: 10) { @server.descriptors <= before }
    expect(@server.get.status).to eq(200)
  end

  it 'serves others while many do not read' do
    stuck = Array.new(20) { dial.write(request('/big')) } + Array.new(2) { dial.write(request('/stream')) }
    sleep 0.2
    expect(Array.new(20) { @server.get.status }.uniq).to eq([200])
    stuck.each(&:reset)
  end

  it 'serves others while many send their heads and bodies slowly' do
    stuck = Array.new(50) { |n| dial.write(n.even? ? 'GET / HT' : "POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: 9\r\n\r\nx") }
    expect(Array.new(20) { @server.get.status }.uniq).to eq([200])
    stuck.each(&:reset)
  end

  it 'accepts, reads, refuses and times out while Ruby spins' do
    spinner = dial(timeout: 20).write(request('/spin'))
    sleep 0.3
    late = dial.write('GET / HT')
    star = dial.ask("OPTIONS * HTTP/1.1\r\nHost: spec\r\n\r\n").status
    bad = dial.ask("GET / HTTP/1.1\r\nno colon\r\n\r\n").status
    before_time_out = spinner.read_some(within: 0)
    expect([star, bad, late.receive.status, before_time_out]).to eq([204, 400, 408, ''])
    expect(spinner.read_some(within: 0)).to eq('') # it has been spinning all the while
    expect(spinner.receive.body).to eq('spun')
  end
end
