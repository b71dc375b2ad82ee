# frozen_string_literal: true

# Several processes.
RSpec.describe 'Workers' do
  app = <<~'RUBY'
    run(lambda do |env|
      if env['PATH_INFO'] == '/slow'
        warn 'begun'
        sleep 0.5
      end
      [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
    end)
  RUBY

  def get(client = nil)
    (client ? client.get : @server.get).body.to_i
  end

  # A worker may be dying while it is asked.
  def answering
    @server.get.body.to_i
  rescue Support::RawClient::Closed, SystemCallError
    nil
  end

  context 'with two of them' do
    before(:context) { @server = boot(app, '-w', '2', '-t', '2') }

    # The lesser share of 100 connections, in percent of them all.
    def lesser_share(clients)
      clients.map { |client| get(client) }.tally.then { |counts| counts.size == 2 ? counts.values.min : 0 }
    end

    it 'shares connections that come slowly' do
      clients = Array.new(100) do
        sleep 0.005
        dial.tap(&:get)
      end
      expect(lesser_share(clients)).to be >= 30
    end

    it 'shares connections that come in a burst' do
      clients = Array.new(100) { dial }
      clients.each { |client| client.write("GET / HTTP/1.1\r\nHost: spec\r\n\r\n") }
      clients.each(&:receive)
      expect(lesser_share(clients)).to be >= 30
    end

    it 'replaces a killed one and serves meanwhile' do
      before = @server.children
      Process.kill(:KILL, before.first)
      eventually(within: 10) { (@server.children - before).size == 1 && @server.children.size == 2 }
      expect(@server.stderr).to match(/worker #{before.first} was killed by SIGKILL/)
      eventually { answering && Array.new(20) { answering }.compact.uniq.size == 2 }
    end

    it 'replaces all at USR1 without losing a request' do
      before = @server.children
      stop = false
      failures = []
      clients = Array.new(3) do
        Thread.new do
          until stop
            begin
              get
            rescue StandardError => e
              failures << e
            end
          end
        end
      end
      @server.kill(:USR1)
      eventually(within: 15) { @server.children.size == 2 && !@server.children.intersect?(before) }
      stop = true
      clients.each(&:join)
      expect(failures).to eq([])
    end

    it 'finishes at TERM what each of them began' do
      clients = Array.new(8) { dial.write("GET /slow HTTP/1.1\r\nHost: spec\r\n\r\n") }
      eventually { @server.stderr.scan('begun').size >= 4 } # as many as there are threads; the others are accepted too
      sleep 0.2
      @server.kill
      expect(clients.map { |client| client.receive.status }).to eq([200] * 8)
      expect(@server.wait(timeout: 10)).to be_success
    end
  end

  it 'restarts one that fails again and again with growing pauses' do
    dir = work_dir
    config = write_file(dir, 'config.rb', <<~'RUBY')
      Iodine.on_state(:on_start) do
        File.write('starts', "#{Process.pid}\n", mode: 'a')
        Dir.mkdir('taken') # by the first of them, which stays
      rescue Errno::EEXIST
        exit!(1)
      end
    RUBY
    file = write_file(dir, 'config.ru', app)
    @server = boot_cli('-w', '2', '-t', '1', '-C', config, file, dir: dir)
    sleep 3
    starts = File.readlines(File.join(dir, 'starts')).size
    expect(starts).to be_between(3, 12)
    expect(get).to be > 0
  end

  it 'ends by itself when the root dies' do
    @server = boot(app, '-w', '2', '-t', '1')
    workers = @server.children
    @server.kill(:KILL)
    @server.wait
    eventually(within: 10) { workers.none? { |pid| File.exist?("/proc/#{pid}/fd") && !File.read("/proc/#{pid}/stat").include?(') Z ') } }
  end
end
