# frozen_string_literal: true

# Much traffic of all kinds leaves memory, descriptors and temporary files as they were. 5,000 requests, or 100,000 with SOAK=1.
RSpec.describe 'A server after much traffic', :soak do
  count = ENV['SOAK'] == '1' ? 100_000 : 5_000
  threads = 4

  get = ->(path) { "GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n" }
  sized = ->(size) { "POST /input HTTP/1.1\r\nHost: spec\r\nContent-Length: #{size}\r\n\r\n#{'x' * size}" }
  chunked = lambda do |size|
    "POST /input HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n\r\n#{size.to_s(16)}\r\n#{'x' * size}\r\n0\r\n\r\n"
  end
  plain = [get['/hello'], get['/hello?q=1'], get['/parts'], get['/each'], get['/missing'], get['/none'], get['/same'], get['/raise'],
           sized[0], sized[300], chunked[300]]
  large = [get['/big'], get['/file'], sized[100_000], sized[400_000], chunked[200_000]]
  broken = ["GET / HTTP/1.1\r\nno colon\r\n\r\n", 'GET / HT', sized[200_000].byteslice(0, 100_000), get['/big'],
            chunked[70_000].byteslice(0, 69_000), get['/hello']]

  # What one client does with one connection: about 50 requests, the last one given up half-way.
  define_method(:talk) do |random|
    dial(timeout: 20) do |client|
      plain.shuffle(random: random).each { |request| client.ask(request) }
      client.ask(large.sample(random: random))
      row = plain.sample(15, random: random) * 3
      client.write(row.join)
      row.each { client.receive }
      client.try_write(broken.sample(random: random))
      client.reset if random.rand(2).zero?
      plain.size + 1 + row.size + 1
    end
  end

  define_method(:traffic) do |requests|
    Array.new(threads) do |n|
      Thread.new do
        random = Random.new(n)
        done = 0
        done += talk(random) while done < requests / threads
      end
    end.each(&:join)
  end

  # Once nothing is under way.
  def settled
    3.times { @server.get('/tidy') }
    open = nil
    eventually(within: 10) do
      before = open
      sleep 0.3
      (open = @server.descriptors) == before
    end
    [open, @server.rss]
  end

  before(:context) { @server = boot(Apps::WAYS, '-w', '1', '-t', '4', '-V', '1', lint: false, env: { 'TMPDIR' => @tmp = work_dir }) }

  it 'has the memory, the descriptors and the temporary files that it had before' do
    traffic([count / 5, 5_000].max)
    open, memory = settled
    files = Dir.children(@tmp).sort
    traffic(count)
    open_after, memory_after = settled
    expect(open_after).to eq(open)
    expect(Dir.children(@tmp).sort).to eq(files)
    expect(@server.spare_files).to be_between(1, 16)
    expect((memory_after - memory) / 1024).to be < 16_000 # the arenas of malloc vary by as much with the load of the machine
    expect(@server.get('/hello').body).to eq('hello')
  end
end
