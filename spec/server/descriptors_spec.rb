# frozen_string_literal: true

# When descriptors are scarce.
RSpec.describe 'A server short of descriptors' do
  # The limit counts for the command that follows.
  def boot_with(limit, source, *args)
    port = Support::Server.free_port
    file = write_file(work_dir, 'config.ru', source)
    command = ['sh', '-c', "ulimit -n #{limit} && exec \"$@\"", 'sh', *ruby, File.join(ROOT, 'exe', 'iodine')]
    launch([*command, '-b', '127.0.0.1', '-p', port.to_s, '-w', '1', '-t', '2', *args, file], port: port)
  end

  # Seconds of CPU that the process has used.
  def cpu_of(server)
    fields = File.read("/proc/#{server.pid}/stat").rpartition(')').last.split
    fields[11, 2].sum(&:to_i) / 100.0
  end

  it 'lets clients wait without spinning when none is left, and serves them when some are' do
    @server = boot_with(64, <<~'RUBY')
      taken = []
      run(lambda do |env|
        case env['PATH_INFO']
        when '/take'
          begin
            loop { taken << File.open(File::NULL) }
          rescue Errno::EMFILE
            nil
          end
        when '/leave' then taken.each(&:close).clear
        end
        [200, { 'content-type' => 'text/plain' }, ['ok']]
      end)
    RUBY
    first = dial
    expect(first.get('/take').body).to eq('ok')
    waiting = Array.new(5) { dial.write("GET /late HTTP/1.1\r\nHost: spec\r\n\r\n") }
    sleep 0.3
    before = cpu_of(@server)
    sleep 1
    expect(cpu_of(@server) - before).to be < 0.3
    expect(waiting.map { |client| client.read_some(within: 0) }.join).to eq('')
    expect(first.get('/leave').body).to eq('ok')
    expect(waiting.map { |client| client.receive.body }).to eq(['ok'] * 5)
  end

  it 'tells clients over its capacity 503, keeps the others, and goes on' do
    @server = boot_with(80, "run ->(_) { [200, { 'content-type' => 'text/plain' }, ['ok']] }")
    capacity = @server.wait_for(/up to (\d+) connections/)[1].to_i
    expect(capacity).to be_between(1, 79)
    clients = Array.new(100) { dial.try_write("GET / HTTP/1.1\r\nHost: spec\r\n\r\n") }
    served, refused = clients.partition { |client| client.receive.status == 200 }
    expect(served.size).to be_between(capacity - 1, capacity) # the one that looked whether it listens may still be there
    expect(refused.map(&:rest).uniq).to eq([''])
    expect(served.map { |client| client.get.status }.uniq).to eq([200])
    clients.each(&:close)
    eventually { @server.get.status == 200 }
  rescue Support::RawClient::Closed
    raise 'a client over the limit was closed without an answer'
  end
end
