# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'Iodine.connect in the life of a process' do
  it 'before the start waits for it, and without listeners start runs until stop' do
    listen
    boot_client(<<~RUBY, callbacks: <<~MORE)
      CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')
      log(Iodine.running?)
    RUBY
      def on_message(client, data)
        log('message', data, Iodine.running?, Iodine.worker?)
        Iodine.stop
      end
      def on_shutdown(client) = client.write('bye')
    MORE
    peer = accept.write('go')
    expect(peer.rest).to eq('bye')
    expect(@client.wait).to be_success
    expect(told).to eq(['false', 'open raw true', 'message go true true', 'close false nil nil'])
    expect(@client.stdout.lines(chomp: true).last).to eq('stopped')
  end

  it 'on a signal tells all that is open, and all that is not yet' do
    listen
    boot_client(%(2.times { CONNECT.call(url: "ws://127.0.0.1:#{@port}") }),
                callbacks: "def on_shutdown(client) = client.write('last words')")
    open = accept_websocket.answer
    accept_websocket
    eventually(within: 20) { told == ['open websocket true'] }
    @client.kill(:INT)
    expect(open.read_frame).to eq([1, 'last words'])
    expect(open.read_frame).to eq([8, [1001].pack('n')])
    open.frame(8, [1001].pack('n'))
    expect(@client.wait).to be_success
    expect(told.sort).to eq(['close false 1001 nil', 'close false 1006 nil', 'open websocket true'])
  end

  [1, 2].each do |workers|
    it "keeps nobody from stopping who connects again when a connection is closed (#{workers} workers)" do
      listen
      boot_client(<<~RUBY, workers: workers, callbacks: <<~MORE)
        Iodine::DEFAULT_SETTINGS[:shutdown_timeout] = 60
        CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')
      RUBY
        def on_close(_client)
          log('close')
          CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')
        end
      MORE
      accept.close
      accept
      eventually(within: 20) { told.count('open raw true') == 2 }
      @client.kill(:TERM)
      expect(@client.wait(timeout: 20)).to be_success
      expect(told.count('close')).to eq(2)
    end
  end

  it 'may be called on any thread while iodine runs' do
    listen
    boot_client(<<~RUBY)
      Iodine.on_state(:on_start) do
        Thread.new do
          sleep 0.01 until Iodine.running?
          8.times.map { Thread.new { CONNECT.call(url: 'tcp://127.0.0.1:#{@port}') } }.each(&:join)
        end
      end
    RUBY
    peers = Array.new(8) { accept }
    eventually(within: 20) { told.count('open raw true') == 8 }
    peers.each(&:close)
    eventually(within: 20) { told.count('close false nil nil') == 8 }
  end

  describe 'with workers' do
    def pid_callbacks
      <<~RUBY
        def on_open(client) = client.write([Process.pid].pack('N'))
        def on_close(client) = log('close', Process.pid)
      RUBY
    end

    def pid_of(peer)
      peer.read(4).unpack1('N')
    end

    it 'before the start opens one connection, in the root' do
      listen
      boot_client(%(CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')), workers: 2, callbacks: pid_callbacks)
      peer = accept
      expect(pid_of(peer)).to eq(@client.pid)
      eventually(within: 20) { @client.children.size == 2 }
      expect(@listener.wait_readable(0.2)).to be_nil
      @client.kill(:TERM)
      expect(peer.rest).to eq('')
      expect(@client.wait).to be_success
      expect(told).to eq(["close #{@client.pid}"])
    end

    it 'in on_start opens one in each, and in a worker that replaces one' do
      listen
      boot_client(%(Iodine.on_state(:on_start) { CONNECT.call(url: 'tcp://127.0.0.1:#{@port}') }),
                  workers: 2, callbacks: pid_callbacks)
      pids = Array.new(2) { pid_of(accept) }
      expect(pids).to match_array(@client.children)
      Process.kill(:KILL, pids.first)
      replaced = pid_of(accept)
      expect(pids).not_to include(replaced)
      expect(@client.children).to include(replaced)
    end

    it 'publishes from the root to all workers' do
      listen
      @server = boot_script(<<~RUBY)
        class Subscriber
          def self.on_open(client) = client.subscribe(:news)
        end
        class Source
          def self.on_message(_client, data) = Iodine.publish(:news, data)
        end
        Iodine.threads = 1
        Iodine.workers = 2
        Iodine.connect(url: 'tcp://127.0.0.1:#{@port}', handler: Source)
        Iodine.listen(service: :raw, address: '127.0.0.1', port: ENV.fetch('PORT')) { Subscriber }
        Iodine.start
      RUBY
      source = accept
      clients = Array.new(8) { dial }
      heard = clients.map { +'' }
      eventually(within: 20) do
        source.write('.')
        clients.each_with_index { |client, n| heard[n] << client.read_some(within: 0.01) }
        heard.none?(&:empty?)
      end
    end

    it 'leaves nothing of the root\'s sockets to the workers' do
      boot_client(<<~RUBY, workers: 1 + 1, callbacks: "def on_open(client) = log('open', Process.pid)")
        require 'socket'
        ours, theirs = UNIXSocket.pair
        Iodine.attach_fd(theirs.fileno, Callbacks.new)
        theirs.close
        Iodine.on_state(:on_start) do
          log('mine', Dir["/proc/self/fd/*"].count { |fd| File.readlink(fd).start_with?('socket:') rescue false })
        end
        ours.close_on_exec = true
        $kept = ours
      RUBY
      eventually(within: 20) { told.size >= 3 }
      opened, mine = told.partition { |line| line.start_with?('open') }
      expect(opened).to eq(["open #{@client.pid}"])
      expect(mine.uniq.size).to eq(1)
    end
  end

  it 'does nothing in a process that the application forks' do
    listen
    boot_client(<<~RUBY)
      Iodine.on_state(:on_start) do
        Iodine.run do
          Process.wait(fork do
            CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')
            exit!(0)
          end)
          log('forked')
        end
      end
    RUBY
    expect_told('forked')
    expect(@listener.wait_readable(0.1)).to be_nil
  end

  it 'leaves memory and descriptors as they were, after thousands of connections' do
    listen
    @listener.close
    boot_client(<<~RUBY, callbacks: <<~MORE)
      CONNECT.call(url: 'tcp://127.0.0.1:#{@port}')
    RUBY
      COUNTS = [1000, 5000]
      def on_close(client)
        @tries = @tries.to_i + 1
        if COUNTS.include?(@tries)
          GC.start
          log('objects', ObjectSpace.each_object(Iodine::Connection).count < 50)
        end
        Iodine.connect(url: 'tcp://127.0.0.1:#{@port}', handler: self) if @tries < 5000
      end
    MORE
    eventually(within: 60) { told.size == 2 }
    expect(told.uniq).to eq(['objects true'])
    expect(@client.descriptors).to be < 20
  end
end
