# frozen_string_literal: true

RSpec.describe 'start and stop' do
  let(:quiet) { "Iodine.verbosity = 1; Iodine.threads = Iodine.workers = 1\n" }

  it 'is neither running nor a worker before the start' do
    expect(ruby_output('p Iodine.running?, Iodine.master?, Iodine.worker?')).to eq("false\ntrue\nfalse\n")
  end

  it 'is root and worker at once with one process, and returns Iodine' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      Iodine.run { p Iodine.running?, Iodine.master?, Iodine.worker?, Iodine.stop.equal?(Iodine) }
      p Iodine.start.equal?(Iodine), Iodine.running?
    RUBY
    expect(out).to eq("true\ntrue\ntrue\ntrue\ntrue\nfalse\n")
  end

  it 'tells root and workers apart' do
    journal = File.join(work_dir, 'journal')
    ruby_output(<<~RUBY)
      Iodine.verbosity = 1
      Iodine.threads = 1
      Iodine.workers = 2
      Iodine.run do
        File.open(#{journal.inspect}, 'a') { |file| file.syswrite([Iodine.running?, Iodine.master?, Iodine.worker?].join(' ') + "\\n") }
        Iodine.run_after(500) { Iodine.stop } if Iodine.master?
      end
      Iodine.start
    RUBY
    expect(File.readlines(journal, chomp: true).tally).to eq('true true false' => 1, 'true false true' => 2)
  end

  it 'refuses to start twice' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      Iodine.run do
        Iodine.start
      rescue RuntimeError => e
        puts e.message
        Iodine.stop
      end
      Iodine.start
    RUBY
    expect(out).to match(/running/)
  end

  it 'ignores a stop when nothing runs' do
    expect(ruby_output('p Iodine.stop.equal?(Iodine)')).to eq("true\n")
  end

  [1, 2].each do |workers|
    it "starts again after a stop, on the same listeners (#{workers} workers)" do
      port = Support::Server.free_port
      out = ruby_output(<<~RUBY)
        require 'net/http'
        #{quiet}
        Iodine.workers = #{workers}
        Iodine.listen(service: :http, address: '127.0.0.1', port: #{port}) { [200, {}, ['ok']] }
        2.times do |round|
          Thread.new do
            sleep 0.01 until Iodine.running?
            puts Net::HTTP.get(URI('http://127.0.0.1:#{port}/'))
            Iodine.stop
          end
          Iodine.start
        end
      RUBY
      expect(out).to eq("ok\nok\n")
    end
  end

  it 'starts again with a new listener in the place of the old one' do
    port = Support::Server.free_port
    out = ruby_output(<<~RUBY)
      require 'net/http'
      #{quiet}
      %w[old new].each do |text|
        Iodine.listen(service: :http, address: '127.0.0.1', port: #{port}) { [200, {}, [text]] }
        Iodine.run { Thread.new { puts Net::HTTP.get(URI('http://127.0.0.1:#{port}/')); Iodine.stop } }
        Iodine.start
      end
    RUBY
    expect(out).to eq("old\nnew\n")
  end

  it 'closes its listeners at the stop' do
    out = ruby_output(<<~RUBY)
      require 'socket'
      #{quiet}
      port = TCPServer.open('127.0.0.1', 0) { |socket| socket.addr[1] }
      Iodine.listen(service: :http, address: '127.0.0.1', port: port) { [200, {}, ['ok']] }
      Iodine.run { Iodine.stop }
      Iodine.start
      TCPServer.new('127.0.0.1', port).close
      print 'free'
    RUBY
    expect(out).to eq('free')
  end

  it 'restores the traps' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      mine = %w[INT TERM USR1].to_h { |name| [name, proc {}] }
      mine.each { |name, action| trap(name, action) }
      Iodine.run { Iodine.stop }
      Iodine.start
      puts mine.map { |name, action| trap(name, 'DEFAULT').equal?(action) }.all?
    RUBY
    expect(out).to eq("true\n")
  end

  it 'may be stopped in a trap' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      trap('USR2') { Iodine.stop }
      Iodine.run { Process.kill(:USR2, Process.pid) }
      Iodine.start
      print 'stopped'
    RUBY
    expect(out).to eq('stopped')
  end

  it 'sets no traps and does not fork on another thread' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      Iodine.workers = 2
      before = trap('INT') {}
      mine = proc {}
      trap('INT', mine)
      Iodine.on_state(:before_fork) { puts 'fork' }
      thread = Thread.new { Iodine.start }
      sleep 0.01 until Iodine.worker?
      puts trap('INT', 'DEFAULT').equal?(mine)
      Iodine.stop
      puts thread.join(10) ? 'ended' : 'stuck'
    RUBY
    expect(out).to eq("true\nended\n")
  end

  it 'is a stranger to what the application forks' do
    out = ruby_output(<<~RUBY)
      #{quiet}
      Iodine.run do
        pid = fork { p Iodine.running?, Iodine.master?, Iodine.worker?; Iodine.stop; exit!(0) }
        Process.wait(pid)
        Iodine.run { puts 'still here'; Iodine.stop }
      end
      Iodine.start
    RUBY
    expect(out).to eq("false\nfalse\nfalse\nstill here\n")
  end

  it 'says where it listens, and what it runs on' do
    server = boot_hello('-w', '1', '-t', '3')
    server.wait_for("listening on http://127.0.0.1:#{server.port}")
    expect(server.stderr).to match(/iodine #{Iodine::VERSION}, ruby #{RUBY_VERSION}, (epoll|kqueue), PID #{server.pid}/)
      .and match(/1 worker × 3 threads, up to \d+ connections each/)
  end

  it 'replaces an application thread that was killed' do
    server = boot(<<~RUBY, '-w', '1', '-t', '1', lint: false)
      run(lambda do |env|
        Thread.current.kill if env['PATH_INFO'] == '/kill'
        [200, {}, ['ok']]
      end)
    RUBY
    3.times do
      dial(server) { |client| client.write("GET /kill HTTP/1.1\r\nhost: x\r\n\r\n") }
      expect(server.get.body).to eq('ok')
    end
  end
end
