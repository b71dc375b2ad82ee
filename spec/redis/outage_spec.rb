# frozen_string_literal: true

require 'iodine'
require_relative 'peer'

RSpec.describe 'A Redis that is away' do
  include Peer::Helper

  let(:redis) { boot_redis }
  let(:here) { subscribed(redis, peer(redis.url), 'chat') }
  let(:there) { subscribed(redis, peer(redis.url), 'chat') }

  # Publishes numbers during the block, and a last message after it.
  def chatting(one)
    enough = false
    thread = Thread.new { (1..).each { |number| enough ? break : one.publish('chat', number.to_s) } }
    yield
  ensure
    enough = true
    thread.join
    one.publish('chat', 'last')
  end

  # Waits for 300 messages more.
  def more(one)
    before = one.heard.size
    eventually { one.heard.size > before + 300 }
  end

  def wait_for(one, pattern)
    eventually(within: 15) { one.log.match(pattern) }
  end

  it 'is told once, as are what was late and lost; local subscribers are served meanwhile, and nobody twice' do
    here
    redis.die
    wait_for(here, %r{^ERROR: Redis at redis://127\.0\.0\.1:\d+ is lost: .*Meanwhile messages reach this cluster only})
    here.publish('chat', '1', '2', '3')
    expect(here.messages('chat')).to eq(%w[1 2 3])
    redis.start
    wait_for(here, /^INFO: Redis at \S+ is back: 3 messages were sent late, none lost$/)
    here.publish('chat', '4')
    eventually { here.messages('chat').last == '4' }
    expect(here.messages('chat')).to eq(%w[1 2 3 4])
    expect(here.log.lines.size).to eq(2)
  end

  it 'gets what waited in order when it is back, once' do
    here
    redis.die
    wait_for(here, /is lost/)
    here.publish('chat', *('1'..'100'))
    Process.kill(:STOP, here.pid)
    redis.start
    there # is back first
    Process.kill(:CONT, here.pid)
    wait_for(here, /is back/)
    here.publish('chat', 'last')
    [here, there].each do |one|
      eventually { one.messages('chat').last == 'last' }
      expect(one.messages('chat')).to eq([*'1'..'100', 'last'])
    end
  end

  it 'loses no message of a cluster that goes on publishing, for its own subscribers, and doubles none' do
    chatting(here) do
      3.times do |round|
        more(here)
        redis.die
        more(here)
        redis.start
        eventually { here.log.scan('is back').size > round }
      end
    end
    eventually { here.messages('chat').last == 'last' }
    numbers = here.messages('chat')[0..-2].map(&:to_i)
    expect(numbers).to eq((1..numbers.size).to_a)
  end

  %w[normal pubsub].each do |type|
    it "may close the connection of type #{type} alone: no message is lost or doubled here; others miss none" do
      there
      others = connections
      chatting(here) do
        3.times do |round|
          more(here)
          redis.cli('CLIENT', 'KILL', 'ID', *(connections('TYPE', type) - others))
          eventually { here.log.scan('is back').size > round }
        end
      end
      eventually { [here, there].all? { |one| one.messages('chat').last == 'last' } }
      numbers = here.messages('chat')[0..-2].map(&:to_i)
      expect(numbers).to eq((1..numbers.size).to_a)
      expect(there.messages('chat').uniq.size).to eq(numbers.size + 1)
    end
  end

  # @return [Array<String>] the ids that Redis has for its connections, but for redis-cli's own
  def connections(*type)
    redis.cli('CLIENT', 'LIST', *type).lines.grep_v(/cmd=client/).map { |line| line[/\bid=(\d+)/, 1] }
  end

  it 'may hang: local subscribers are served after two seconds, and nobody twice' do
    there
    here
    redis.signal(:STOP)
    here.publish('chat', '1')
    wait_for(here, /is lost: /)
    here.publish('chat', '2')
    expect(here.messages('chat')).to eq(%w[1 2])
    redis.signal(:CONT)
    wait_for(here, /is back/)
    here.publish('chat', 'last')
    eventually { [here, there].all? { |one| one.messages('chat').last == 'last' } }
    expect(here.messages('chat')).to eq(%w[1 2 last])
    expect(there.messages('chat').uniq).to eq(%w[1 2 last])
  end

  it 'is found to hang by a ping when there is no traffic' do
    quiet = subscribed(redis, peer(redis.url, ping: 1), 'chat')
    redis.signal(:STOP)
    wait_for(quiet, /is lost: /)
    redis.signal(:CONT)
    wait_for(quiet, /is back/)
  end

  it 'is not asked for anything without a ping' do
    here.cmd('CONFIG', 'RESETSTAT')
    sleep 1.2 # nothing is to happen
    expect(redis.cli('INFO', 'commandstats')).not_to match(/cmdstat_ping/)
  end

  it 'has 10,000 messages waiting for it at most; the oldest are lost, and counted' do
    here
    redis.die
    wait_for(here, /is lost/)
    here.publish('chat', *('1'..'10023'))
    expect(here.messages('chat').size).to eq(10_023)
    redis.start
    wait_for(here, /^WARNING: Redis at \S+ is back: 10000 messages were sent late, 23 lost$/)
    here.publish('chat', 'last')
    eventually { here.messages('chat').last == 'last' }
    expect(here.messages('chat')).to eq([*'1'..'10023', 'last'])
  end

  it 'need not be there at first' do
    redis.die
    early = peer(redis.url)
    early.subscribe('chat')
    early.publish('chat', '1')
    expect(early.messages('chat')).to eq(%w[1])
    wait_for(early, /^ERROR: Redis at \S+ can't be reached: .*refused/)
    redis.start
    wait_for(early, /is back: 1 message was sent late, none lost/)
    early.publish('chat', '2')
    eventually { early.messages('chat').size == 2 }
  end

  it 'is told when the process ends with messages that it did not get' do
    redis.die
    early = peer(redis.url)
    early.publish('chat', '1', '2')
    early.finish
    expect(early.log).to match(/^ERROR: Redis at \S+ did not get 2 messages before the end$/)
  end
end
