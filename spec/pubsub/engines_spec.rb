# frozen_string_literal: true

require_relative 'cluster_app'

RSpec.describe 'Iodine::PubSub::Engine' do
  radio = <<~'RUBY'
    class Radio < Iodine::PubSub::Engine
      def initialize(name) = @name = name # without super
      def subscribe(to, match = nil) = log("#{@name} +", to, match.inspect, to.frozen?)
      def unsubscribe(to, match = nil) = log("#{@name} -", to, match.inspect)
      def publish(to, message) = log("#{@name} publishes", to, message)
    end
    RADIO = Radio.new('radio')
  RUBY

  def subscribe(one, name, options = '')
    one.run("@client.subscribe('#{name}'#{options})")
  end

  it 'is told a name once, in each process of its own, in the root of all' do
    boot_cluster("#{radio}Iodine::PubSub.attach(RADIO)\nIodine.subscribe(:news) { }")
    (here, one), (there, other) = puppets.to_a
    expect(note(/radio \+ news nil true/, 3).map(&:to_i)).to contain_exactly(@server.pid, here, there)
    subscribe(one, 'room')
    note(/^#{here} worker radio \+ room/)
    note(/root radio \+ room/)
    subscribe(one, 'room')
    subscribe(other, 'room')
    subscribe(puppet, 'room')
    note(/^#{there} worker radio \+ room/)
    one.run("@client.unsubscribe('room')")
    other.close
    subscribe(other = puppet, 'end')
    note(/root radio \+ end/)
    expect(noted(/root radio \+ room/).size).to eq(1)
    expect(noted(/worker radio \+ room/).size).to eq(2)
    other.close
  end

  it 'is told when nobody is left' do
    boot_cluster("#{radio}Iodine::PubSub.attach(RADIO)")
    (here, one), (there, other) = puppets.to_a
    [one, other].each { |client| subscribe(client, 'a') }
    note(/worker radio \+ a/, 2)
    one.close
    note(/^#{here} worker radio - a nil/)
    other.run("@client.unsubscribe('a')")
    note(/^#{there} worker radio - a nil/)
    note(/root radio - a nil/)
    expect(noted(/root radio/).map { |line| line[/[+-]/] }).to eq(%w[+ -])
  end

  it 'is told that a name is a pattern' do
    boot_cluster("#{radio}Iodine::PubSub.attach(RADIO)", workers: 1)
    one = puppet
    subscribe(one, 'a*', ', match: :redis')
    note(/radio \+ a\* true/)
    subscribe(one, 'a*')
    note(/radio \+ a\* nil/)
    one.close
    note(/radio - a\* true/)
    note(/radio - a\* nil/)
  end

  it 'is told in the root that a worker is gone, with its names' do
    boot_cluster("#{radio}Iodine::PubSub.attach(RADIO)")
    all = puppets
    all.each_value { |one| subscribe(one, 'both') }
    subscribe(all.values.first, 'own')
    note(/root radio \+ (both|own)/, 2)
    Process.kill(:KILL, all.keys.first)
    note(/root radio - own/)
    Process.kill(:KILL, all.keys.last)
    note(/root radio - both/)
  end

  it 'is told of what is there when it comes, again when asked, and of the end when it leaves' do
    boot_cluster(radio, workers: 1)
    one = puppet
    subscribe(one, 'a')
    expect(one.run('Iodine::PubSub.attach(RADIO).equal?(RADIO)')).to eq('true')
    note(/radio \+ a/)
    one.run('Iodine::PubSub.attach(RADIO); nil')
    subscribe(one, 'b')
    note(/radio \+ b/)
    one.run('Iodine::PubSub.reset(RADIO); nil')
    note(/radio \+ [ab]/, 4)
    one.run('Iodine::PubSub.dettach(RADIO); nil')
    note(/radio - [ab]/, 2)
    subscribe(one, 'c')
    one.run("Iodine::PubSub.attach(Radio.new('other')); nil")
    note(/other \+ [abc]/, 3)
    expect(noted(/radio/).map { |line| line[/[+-] \w/] }.tally).to eq('+ a' => 2, '+ b' => 2, '- a' => 1, '- b' => 1)
  end

  it 'may be the default' do
    boot_cluster(<<~RUBY)
      #{radio}
      Iodine.subscribe(:news) { |_, message| log('heard', message) }
      log('default', Iodine::PubSub.default.inspect)
      Iodine::PubSub.default = RADIO
    RUBY
    note(/default Iodine::PubSub::CLUSTER/)
    note(/radio \+ news/, 3)
    one = puppet
    expect(one.run("Iodine.publish(:news, 'one')")).to eq('true')
    note(/radio publishes news one/)
    expect(one.run("@client.publish(:news, 'two')")).to eq('true')
    note(/radio publishes news two/)
    one.run("Iodine.publish(:news, 'three', Iodine::PubSub::CLUSTER)")
    note(/heard three/, 3)
    one.run("Iodine::PubSub.default = nil; Iodine.publish(:news, 'four'); nil")
    note(/heard four/, 3)
    expect(one.run('Iodine::PubSub.default')).to eq('Iodine::PubSub::CLUSTER')
    expect(noted(/heard (one|two)/)).to be_empty
  end

  it 'is used by whoever names it' do
    boot_cluster("#{radio}Iodine.subscribe(:news) { log('heard') }", workers: 1)
    expect(puppet.run("Iodine.publish(:news, 'one', RADIO)")).to eq('true')
    note(/radio publishes news one/)
    expect(noted(/heard|radio \+/)).to be_empty
  end

  it 'that fails is logged, and no matter of the others' do
    boot_cluster(<<~RUBY, workers: 1)
      #{radio}
      class Broken < Iodine::PubSub::Engine
        def subscribe(to, match = nil) = raise("no \#{to}")
        def unsubscribe(to, match = nil) = raise(NotImplementedError, "no end of \#{to}")
      end
      [Broken.new, RADIO].each { |engine| Iodine::PubSub.attach(engine) }
    RUBY
    one = puppet
    subscribe(one, 'a')
    note(/radio \+ a/)
    one.run("@client.unsubscribe('a')")
    note(/radio - a/)
    @server.wait_for('ERROR: Broken#subscribe: no a (RuntimeError)')
    @server.wait_for('ERROR: Broken#unsubscribe: no end of a (NotImplementedError)')
    expect(one.run("begin; Iodine.publish(:a, '', Broken.new); rescue NotImplementedError => e; e.message; end"))
      .to eq('"Broken has no publish: define publish(to, message)"')
  end

  it 'is what may be attached' do
    boot_cluster('', workers: 1)
    one = puppet
    expect(one.run('Iodine::PubSub.attach(Object.new)')).to eq('TypeError: an engine must be an Iodine::PubSub::Engine, not Object')
    expect(one.run('Iodine::PubSub.default = 1')).to eq('TypeError: an engine must be an Iodine::PubSub::Engine, not Integer')
    expect(one.run('Iodine::PubSub.attach(Iodine::PubSub::PROCESS)')).to eq('Iodine::PubSub::PROCESS')
    expect(one.run('Iodine::PubSub.default')).to eq('Iodine::PubSub::CLUSTER')
  end

  it 'hears of 100,000 names and their end' do
    boot_cluster(<<~RUBY)
      class Counter < Iodine::PubSub::Engine
        @@count = 0
        def subscribe(to, match = nil) = (@@count += 1)
        def unsubscribe(to, match = nil) = (@@count -= 1)
        def self.count = @@count
      end
      Iodine::PubSub.attach(Counter.new)
      Iodine.run_every(50) { (log('has', Counter.count) if Counter.count != $told) || $told = Counter.count }
    RUBY
    (here, one), (_, other) = puppets.to_a
    one.run("100_000.times { |n| @client.subscribe(\"channel \#{n}\") }")
    note(/root has 100000/, within: 60)
    note(/^#{here} worker has 100000/)
    other.run("Iodine.publish('channel 77777', \"one\\n\")")
    expect(one.line).to eq('one')
    one.close
    note(/root has 0/, within: 60)
  end
end
