# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'The calling rules of 0.2' do
  # A Rack application that gives upgrades to `handler` under this key of env.
  def boot_old(callbacks, key: 'upgrade.websocket', handler: 'Callbacks', **options)
    boot_upgrades(callbacks, app: <<~RUBY, **options)
      env['#{key}'] = #{handler} if env['upgrade.websocket?']
      [101, {}, []]
    RUBY
  end

  CHAT = <<~'RUBY'
    def initialize(env)
      @name = env['PATH_INFO'][1..]
    end

    attr_reader :name

    def on_open
      write "hello #{name}, you are #{count}"
    end

    def on_message(data)
      case data
      when 'bye' then close
      when 'kill' then force_close
      when 'count' then write(count.to_s)
      when 'names' then write(each.map(&:name).sort.join(','))
      else each { |other| other.write("#{name}: #{data}, #{other.name}") }
      end
    end

    def on_close
      log 'left', name, count, write('x').inspect
    end
  RUBY

  def join(name, **options)
    connect("/#{name}", **options)
  end

  %w[upgrade.websocket iodine.websocket].each do |key|
    it "make an instance of a class for each connection of env['#{key}'], which gains methods" do
      @server = boot_old(CHAT, key: key)
      ann = join('ann')
      expect(ann.receive).to eq('hello ann, you are 1')
      bob = join('bob')
      expect(bob.receive).to eq('hello bob, you are 2')
      joe = join('joe')
      expect(joe.receive).to eq('hello joe, you are 3')
      ann.text('hi')
      expect([bob.receive, joe.receive]).to eq(['ann: hi, bob', 'ann: hi, joe'])
      expect(ann.text('count').receive).to eq('3')
      expect(ann.text('names').receive).to eq('bob,joe')
      expect(bob.text('bye').closing).to eq([1000, ''])
      bob.hang_up
      eventually { logged == ['left bob 2 nil'] }
      joe.text('kill')
      expect(joe.raw.rest).to eq('')
      eventually { logged == ['left bob 2 nil', 'left joe 1 nil'] }
      expect(ann.text('names').receive).to eq('')
    end
  end

  it 'take an instance as it is, of a class or alone' do
    @server = boot_old('', setup: <<~'SETUP', handler: 'KINDS.fetch(env["PATH_INFO"]).call(env)')
      KINDS = {
        '/instance' => ->(env) { Struct.new(:env) { def on_message(data) = write("#{env['PATH_INFO']} #{data}") }.new(env) },
        '/alone' => ->(_) { Object.new.tap { |object| object.define_singleton_method(:on_message) { |data| write("alone #{data}") } } },
        '/module' => ->(_) { Module.new { def self.on_message(data) = write("module #{data}") } }
      }
    SETUP
    expect(join('instance').text('x').receive).to eq('/instance x')
    expect(join('alone').text('x').receive).to eq('alone x')
    expect(join('module').text('x').receive).to eq('module x')
  end

  it 'give the env to a class that takes it' do
    @server = boot_old('', setup: <<~'SETUP', handler: 'KINDS.fetch(env["PATH_INFO"])')
      module Tells
        def on_open = write([@told].inspect)
      end
      def kind(&) = Class.new { include Tells }.tap { |made| made.class_eval(&) }
      KINDS = {
        '/none' => kind { def initialize = (@told = 'none') },
        '/nothing' => kind { nil },
        '/one' => kind { def initialize(env) = (@told = env['PATH_INFO']) },
        '/optional' => kind { def initialize(env = nil) = (@told = env && env['PATH_INFO']) },
        '/any' => kind { def initialize(*all) = (@told = all.size) },
        '/new' => kind { def self.new(env) = super().tap { |made| made.instance_variable_set(:@told, env['PATH_INFO']) } },
        '/struct' => Struct.new(:env) { def on_open = write(env['PATH_INFO']) }
      }
    SETUP
    { 'none' => '["none"]', 'nothing' => '[nil]', 'one' => '["/one"]', 'optional' => '["/optional"]', 'any' => '[1]', 'new' => '["/new"]',
      'struct' => '/struct' }.each { |path, told| expect(join(path).receive).to eq(told) }
  end

  it 'have text and binary data, any callback or none, and those that raise are logged' do
    @server = boot_old(<<~'RUBY')
      def on_message(data)
        raise 'on purpose' if data == 'raise'
        write("#{data.encoding} #{data.bytesize}")
      end
      def on_drained = log('drained')
    RUBY
    socket = join('x')
    expect(socket.text('é').receive).to eq('UTF-8 2')
    expect(socket.binary('é').receive).to eq('ASCII-8BIT 2')
    expect(socket.text('raise').text('after').receive).to eq('UTF-8 5')
    @server.wait_for('ERROR: on_message: on purpose')
    server = boot_old('')
    socket = join('x', server: server)
    expect(socket.text('nobody hears').ping('x').read_frame.payload).to eq('x')
  end

  it 'have on_shutdown without a client, and what it writes arrives' do
    @server = boot_old(<<~RUBY)
      def on_open = write('open')
      def on_shutdown = write("bye \#{count}")
      def on_close = log('closed', count)
    RUBY
    sockets = Array.new(2) { join('x').tap(&:receive) }
    @server.kill(:TERM)
    sockets.each do |socket|
      expect(socket.receive).to start_with('bye ')
      expect(socket.closing).to eq([1001, ''])
      socket.close(1001)
      socket.hang_up
    end
    expect(@server.wait.success?).to be(true)
    expect(logged).to contain_exactly('closed 1', 'closed 0')
  end

  it 'defer in turn with the callbacks, for another connection by its uuid, and run elsewhere' do
    @server = boot_old(<<~'RUBY', threads: 8)
      def on_open = write(uuid.to_s)
      def on_message(data)
        what, number = data.split
        done = case what
               when 'mine' then defer { |ws| ws.write("me #{ws.equal?(self)}") }
               when 'method' then defer(&method(:later))
               when 'other' then defer(Integer(number)) { |ws| ws.write("for #{ws.uuid}") }
               when 'run' then run { write('ran') }
               end
        write(done.class.to_s)
      end
      def later = write('later')
    RUBY
    one = join('one')
    two = join('two')
    id = one.receive
    other = two.receive
    expect(other).not_to eq(id)
    expect(one.text('mine').then { [one.receive, one.receive] }).to eq(['Proc', 'me true'])
    expect(one.text('method').then { [one.receive, one.receive] }).to eq(%w[Proc later])
    expect(one.text("other #{other}").receive).to eq('Proc')
    expect(two.receive).to eq("for #{other}")
    expect(one.text('run').then { [one.receive, one.receive] }).to contain_exactly('Proc', 'ran')
    two.close
    two.closing
    expect(eventually { one.text("other #{other}").receive == 'FalseClass' }).to be(true)
  end

  it 'keep each one\'s blocks and callbacks apart, with 16 threads' do
    @server = boot_old(<<~RUBY, threads: 16)
      def on_open = (@inside = 0)
      def alone
        log 'two at once' if (@inside += 1) != 1
        Thread.pass
        yield
        @inside -= 1
      end
      def on_message(data)
        alone { each { |other| other.alone { other.write(data) } } }
      end
      def on_close = log('closed')
    RUBY
    sockets = Array.new(12) { join('x') }
    sockets.each { |socket| expect(socket.ping.read_frame.opcode).to eq(10) }
    20.times { |n| sockets.each { |socket| socket.text(n.to_s) } }
    sockets.each { |socket| expect(Array.new(11 * 20) { socket.receive }.tally).to eq((0...20).to_h { |n| [n.to_s, 11] }) }
    sockets.each(&:hang_up)
    eventually { logged.size >= 12 }
    expect(logged).to eq(['closed'] * 12)
  end

  it 'leave the application\'s own methods alone' do
    @server = boot_old(<<~'RUBY')
      def on_open = write("hello #{count} #{uuid}")
      def write(text) = super("<#{text}>")
      def count = 'mine'
      def uuid = 'also mine'
    RUBY
    expect(join('x').receive).to eq('<hello mine also mine>')
  end

  it 'return nil before the connection is open, and when there is none' do
    out = ruby_output(<<~RUBY)
      class Old; end
      Iodine.send(:old_callbacks, Old, {}, false)
      old = Old.new
      p [old.write('x'), old.close, old.force_close, old.each { }.equal?(old), old.each.to_a, old.count, old.defer { }, old.uuid, old.timeout]
    RUBY
    expect(out).to eq("[nil, nil, nil, true, [], nil, false, nil, nil]\n")
  end

  it 'are not for event streams' do
    @server = boot_upgrades('def on_open(client) = client.write("today")', app: <<~RUBY)
      env['upgrade.websocket'] = Callbacks if env['rack.upgrade?']
      [200, { 'content-type' => 'text/plain' }, ['plain']]
    RUBY
    response = dial.get('/', 'accept' => 'text/event-stream')
    expect([response.body, response['content-type']]).to eq(%w[plain text/plain])
  end

  it 'forget who has gone' do
    @server = boot_old(<<~'RUBY')
      def on_message(data)
        return write(data) unless data == 'tidy'
        3.times { GC.start }
        GC.compact
        write("#{count} #{ObjectSpace.each_object(Callbacks).count}")
      end
    RUBY
    watcher = join('watcher')
    3.times do
      sockets = Array.new(100) { join('x') }
      expect(sockets.map { |socket| socket.text('x').receive }.uniq).to eq(['x'])
      sockets.each_with_index { |socket, n| n.even? ? socket.hang_up : socket.raw.reset }
    end
    told = eventually { watcher.text('tidy').receive.then { |text| text if text.start_with?('1 ') } }
    expect(told.split.last.to_i).to be < 20
  end

  describe 'of listen PORT, CLASS' do
    # A raw server whose class body this is, and a client of it.
    def boot_listen(body, arguments = 'ENV.fetch("PORT"), Protocol', threads: 2)
      boot_script(<<~RUBY)
        $stdout.sync = true
        def log(*words) = $stdout.write(words.join(' ') + "\\n")
        Iodine.processes = 1
        Iodine.threads = #{threads}
        class Protocol
          #{body}
        end
        log 'listens', Iodine.listen(#{arguments}).equal?(Protocol)
        Iodine.start
      RUBY
    end

    it 'make an instance for each connection' do
      @server = boot_listen(<<~'RUBY')
        @timeout = 200
        def on_open
          write "#{count} #{timeout} "
        end
        def on_message(data)
          each { |other| other.write("heard #{data}") }
          close if data == 'bye'
        end
        def on_close = log('closed', count)
      RUBY
      before = eventually { logged.grep(/closed/).size.nonzero? }
      one = dial
      expect(one.read(6)).to eq('1 200 ')
      two = dial
      expect(two.read(6)).to eq('2 200 ')
      one.write('hi')
      expect(two.read(8)).to eq('heard hi')
      expect(two.write('bye').rest).to eq('')
      expect(one.read(9)).to eq('heard bye')
      eventually { logged.grep(/closed/).size == before + 1 }
      expect(logged.first).to eq('listens true')
      expect(logged.last).to eq('closed 1')
    end

    it 'have ping after the time-out, and close without it' do
      @server = boot_listen(<<~RUBY)
        def on_message(data)
          self.timeout = 1
        end
        def ping
          write 'ping'
        end
      RUBY
      expect(dial.write('x').read(8)).to eq('pingping')
      @server = boot_listen('def on_open = (self.timeout = 1)')
      expect(dial.rest).to eq('')
    end

    it 'may have options behind' do
      port = Support::Server.free_port
      @server = boot_listen('def on_message(data) = write(data.reverse)', "#{port}, Protocol, address: '127.0.0.1', timeout: 5) &&
                            Iodine.listen(ENV.fetch('PORT').to_i, Protocol")
      [port, @server.port].each do |number|
        client = Support::RawClient.tcp(number)
        expect(client.write('abc').read(3)).to eq('cba')
        client.close
      end
    end

    it 'take nothing but a class' do
      out = ruby_output(<<~RUBY)
        [[3000], [3000, Object.new], ['3000', ->(env) {}]].each do |arguments|
          Iodine.listen(*arguments)
        rescue TypeError => e
          puts e.message
        end
      RUBY
      expect(out.lines(chomp: true)).to eq(%w[NilClass Object Proc].map do |name|
        "listen PORT, PROTOCOL needs a class, not #{name}: use keywords for anything else"
      end)
    end
  end
end
