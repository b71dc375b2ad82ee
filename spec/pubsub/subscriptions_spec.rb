# frozen_string_literal: true

require_relative 'cluster_app'

RSpec.describe 'Iodine.subscribe' do
  it 'before the start holds in the root and in each worker, also in one that takes another\'s place' do
    boot_cluster("Iodine.subscribe(:news) { |channel, message| log('heard', channel, message) }")
    pids = puppets.keys
    puppet.run("Iodine.publish(:news, 'one')")
    heard = note(/heard news one/, 3)
    expect(heard.map(&:to_i)).to contain_exactly(@server.pid, *pids)
    Process.kill(:KILL, pids.first)
    note(/ up$/, 3)
    fresh = @server.children - pids
    puppets.fetch(pids.last).run("Iodine.publish(:news, 'two')")
    heard = note(/heard news two/, 3)
    expect(heard.map(&:to_i)).to contain_exactly(@server.pid, pids.last, *fresh)
  end

  it 'later holds in that process alone' do
    boot_cluster('')
    here, other = puppets.values
    expect(here.run("Iodine.subscribe(:news) { |_, message| log('heard', message) }")).to eq(':news')
    other.run("Iodine.publish(:news, 'one')")
    expect(note(/heard/).size).to eq(1)
    expect(here.run('Iodine.unsubscribe(:news)')).to eq('true')
    expect(here.run("Iodine.unsubscribe('news')")).to eq('false')
    other.run("Iodine.publish(:news, 'two')")
    expect(here.run("Iodine.subscribe(:end) { log('end') }")).to eq(':end')
    other.run("Iodine.publish(:end, '')")
    note(/end/)
    expect(noted(/heard/).size).to eq(1)
  end

  it 'before the start can be taken back' do
    boot_cluster(<<~RUBY, workers: 1)
      Iodine.subscribe(:news) { log('heard news') }
      Iodine.subscribe('n*', match: :redis) { log('heard pattern') }
      log('taken back', Iodine.unsubscribe(:news), Iodine.unsubscribe(:news))
    RUBY
    note(/taken back true false/)
    puppet.run("Iodine.publish(:news, 'one')")
    note(/heard pattern/)
    expect(noted(/heard news/)).to be_empty
  end

  it 'again replaces the block, before the start and after' do
    boot_cluster(<<~RUBY, workers: 1)
      Iodine.subscribe(:news) { log('first') }
      Iodine.subscribe('news') { log('second') }
    RUBY
    one = puppet
    one.run("Iodine.publish(:news, '')")
    note(/second/)
    one.run("Iodine.subscribe(:news) { log('third') }")
    one.run("Iodine.publish(:news, '')")
    note(/third/)
    expect(noted(/first/)).to be_empty
    expect(noted(/second/).size).to eq(1)
  end

  it 'takes a pattern' do
    boot_cluster("Iodine.subscribe('room.[a-c]*', match: :redis) { |channel, _| log('heard', channel) }")
    one = puppet
    %w[room.a room.d room.cd rooms room.].each { |name| one.run("Iodine.publish('#{name}', '')") }
    heard = note(/heard/, 6).map { |line| line[/room.*/] }
    expect(heard.tally).to eq('room.a' => 3, 'room.cd' => 3)
  end

  it 'calls a block with one message at a time, in the order of each publisher' do
    boot_cluster(<<~RUBY, threads: 8)
      inside = 0
      Iodine.subscribe(:news) do |_, message|
        inside += 1
        log('two at once') if inside > 1
        Thread.pass
        inside -= 1
        log('heard', message)
      end
    RUBY
    puppets.values.each_with_index { |one, who| one.run("200.times { |n| Iodine.publish(:news, \"#{who}:\#{n}\") }") }
    heard = note(/heard/, 3 * 400).group_by(&:to_i).transform_values { |lines| lines.map { |line| line[/\d:\d+$/] } }
    heard.each_value do |messages|
      2.times { |who| expect(messages.grep(/^#{who}/)).to eq(Array.new(200) { |n| "#{who}:#{n}" }) }
    end
    expect(noted(/two at once/)).to be_empty
  end

  it 'gives text as UTF-8, other bytes as they are' do
    boot_cluster('Iodine.subscribe(:news) { |channel, message| log(channel.encoding, message.encoding, message.bytes.sum) }')
    one = puppet
    one.run('Iodine.publish(:news, "\u00e9")')
    note(/UTF-8 UTF-8 364/, 3)
    one.run('Iodine.publish(:news, "\xff")')
    note(/UTF-8 ASCII-8BIT 255/, 3)
    one.run('Iodine.publish(:news, "abc".b)')
    note(/UTF-8 ASCII-8BIT 294/, 3)
  end

  it 'goes on after a block that fails' do
    boot_cluster("Iodine.subscribe(:news) { |_, message| message == 'bad' ? raise('on purpose') : log('heard', message) }", workers: 1)
    puppet.run('%w[bad good].each { |message| Iodine.publish(:news, message) }')
    note(/heard good/)
    @server.wait_for('on purpose (RuntimeError)')
  end

  it 'refuses what makes no sense' do
    boot_cluster('', workers: 1)
    one = puppet
    {
      'Iodine.subscribe(:a)' => 'ArgumentError: Iodine.subscribe needs a block',
      'Iodine.subscribe { }' => 'ArgumentError: the name of a channel is missing',
      'Iodine.subscribe(1) { }' => "TypeError: a channel's name must be a String or a Symbol, not Integer",
      'Iodine.subscribe("x" * 65_537) { }' => "ArgumentError: a channel's name is at most 65536 bytes, not 65537"
    }.each { |code, answer| expect(one.run(code)).to eq(answer) }
  end
end
