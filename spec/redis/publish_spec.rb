# frozen_string_literal: true

require 'iodine'
require_relative 'peer'

RSpec.describe 'Clusters with one Redis' do
  include Peer::Helper

  before(:context) do
    @redis = boot_redis
    @here = peer(@redis.url)
    @there = peer(@redis.url)
  end

  before { [here, there].each(&:forget) }

  attr_reader :here, :there

  it 'hear each other and themselves, each once, in one order' do
    [here, there].each { |one| subscribed(@redis, one, 'chat') }
    threads = [here, there].map { |one| Thread.new { one.publish('chat', *('1'..'500').map { |number| "#{one.pid} #{number}" }) } }
    threads.each(&:join)
    eventually { [here, there].all? { |one| one.messages('chat').size >= 1000 } }
    here.tell(:publish, 'chat', 'last')
    eventually { there.messages('chat').last == 'last' && here.messages('chat').last == 'last' }
    expect(here.messages('chat')).to eq(there.messages('chat'))
    [here, there].each do |one|
      mine = here.messages('chat').filter_map { |message| message[/\A#{one.pid} (\d+)/, 1]&.to_i }
      expect(mine).to eq((1..500).to_a)
    end
  end

  it 'hear text as text, and all else as bytes' do
    subscribed(@redis, here, 'é', "\xFE".b)
    there.publish('é', '', 'é', "\xFF\x00\r\n")
    there.publish("\xFE".b, 'é'.b)
    expect(eventually { here.heard.then { |all| all if all.size == 4 } })
      .to eq([['é', ''], %w[é é], ['é', "\xFF\x00\r\n".b], ["\xFE".b, 'é']])
    expect(here.heard.map { |_, message| message.encoding }).to eq([Encoding::UTF_8, Encoding::UTF_8, Encoding::BINARY, Encoding::UTF_8])
  end

  it 'hear messages of a megabyte' do
    subscribed(@redis, here, 'large')
    large = Array.new(3) { |index| index.to_s * (1 << 20) }
    there.publish('large', *large)
    eventually { here.messages('large').size == 3 }
    expect(here.messages('large') == large).to be(true)
  end

  it 'hear a message once, however many of its names they have' do
    subscribed(@redis, here, 'room:1')
    here.tell(:subscribe, 'room:*', true)
    here.tell(:subscribe, '*:1', true)
    eventually { @redis.cli('PUBSUB', 'NUMPAT').to_i == 2 }
    [here, there].each { |one| one.publish('room:1', 'same', 'same', 'other', 'same') }
    there.publish('room:2', 'same', 'same')
    there.publish('room:1', 'last')
    eventually { here.messages('room:1').last == 'last' }
    expect(here.messages('room:1').tally).to eq('same' => 6, 'other' => 2, 'last' => 1)
    expect(here.messages('room:2')).to eq(%w[same same])
  end

  it 'hear each message once while they subscribe to more of its names, and to less' do
    subscribed(@redis, here, 'lounge:1')
    changes = Thread.new do
      20.times do
        %w[lounge:* *e:1 l*].each { |pattern| here.tell(:subscribe, pattern, true) }
        %w[l* *e:1 lounge:*].each { |pattern| here.tell(:unsubscribe, pattern, true) }
      end
    end
    sent = 0
    there.publish('lounge:1', (sent += 1) && 'same') while changes.alive?
    there.publish('lounge:1', 'last')
    eventually { here.messages('lounge:1').last == 'last' }
    expect(here.messages('lounge:1').size).to eq(sent + 1)
  end

  it 'hear what they publish right after they subscribed' do
    100.times do |index|
      here.subscribe("new:#{index}")
      here.publish("new:#{index}", 'hello')
    end
    eventually { here.heard.size >= 100 }
    here.publish('new:0', 'last')
    eventually { here.messages('new:0').last == 'last' }
    expect(here.heard[0, 100]).to eq(Array.new(100) { |index| ["new:#{index}", 'hello'] })
    expect(here.heard.size).to eq(101)
  end

  it 'hear nothing more of a name that they left' do
    subscribed(@redis, here, 'left', 'kept')
    here.tell(:unsubscribe, 'left')
    eventually { @redis.subscribers('left').zero? }
    there.publish('left', 'no')
    there.publish('kept', 'yes')
    eventually { here.messages('kept') == %w[yes] }
    expect(here.messages('left')).to eq([])
  end

  it 'may have ten thousand names' do
    here.subscribe(*Array.new(10_000) { |index| "many:#{index}" })
    eventually(within: 20) { @redis.cli('PUBSUB', 'NUMSUB', 'many:9999').lines.last.to_i == 1 }
    there.publish('many:0', 'first')
    there.publish('many:9999', 'last')
    eventually { here.heard.size == 2 }
    expect(here.heard).to eq([%w[many:0 first], %w[many:9999 last]])
  end

  it 'have two connections each; those that only publish have one' do
    count = -> { @redis.cli('CLIENT', 'LIST').lines.size }
    before = count.call
    console = peer(@redis.url)
    console.publish('x', '1')
    console.cmd('PING')
    expect(count.call).to eq(before + 1)
    subscribed(@redis, console, 'x')
    expect(count.call).to eq(before + 2)
  end
end
