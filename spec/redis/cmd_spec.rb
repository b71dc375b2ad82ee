# frozen_string_literal: true

require 'iodine'
require_relative 'peer'

RSpec.describe 'cmd' do
  include Peer::Helper

  before(:context) do
    @redis = boot_redis
    @peer = peer(@redis.url)
  end

  def cmd(*words)
    @peer.cmd(*words)
  end

  it 'gives the reply as a plain value' do
    expect(cmd('SET', 'key', 'value')).to eq('OK')
    expect(cmd('GET', 'key')).to eq('value')
    expect(cmd('GET', 'none')).to be_nil
    expect(cmd('INCR', :count)).to eq(1)
    expect(cmd('RPUSH', 'list', 'a', 2, 3.5)).to eq(3)
    expect(cmd('LRANGE', 'list', 0, -1)).to eq(%w[a 2 3.5])
    expect(cmd('HSET', 'hash', 'a', 1)).to eq(1)
    expect(cmd('HGETALL', 'hash')).to eq(%w[a 1])
    expect(cmd('SET', 'bytes', "\xFF\x00\r\n".b)).to eq('OK')
    expect(cmd('GET', 'bytes')).to eq("\xFF\x00\r\n".b)
  end

  it 'splits one String into words' do
    expect(cmd('CLIENT LIST')).to include('cmd=client|list')
  end

  it 'gives an error as an exception' do
    expect(cmd('NONSENSE', 'x')).to match(['RedisClient::CommandError', /ERR unknown command 'NONSENSE'/])
    cmd('SET', 'text', 'x')
    expect(cmd('INCR', 'text')).to match([start_with('RedisClient::'), /not an integer/])
  end

  it 'keeps the order of commands' do
    20.times { |index| @peer.tell(:cmd, 'RPUSH', 'order', index) }
    expect(Array.new(20) { @peer.reply }).to eq([*1..20])
    expect(cmd('LRANGE order 0 -1')).to eq((0...20).map(&:to_s))
  end

  it 'goes with what is published' do
    subscribed(@redis, @peer, 'chat')
    100.times do |index|
      @peer.publish('chat', index.to_s)
      @peer.tell(:cmd, 'ECHO', index)
    end
    expect(Array.new(100) { @peer.reply }).to eq((0...100).map(&:to_s))
    eventually { @peer.messages('chat').size == 100 }
    expect(@peer.messages('chat')).to eq((0...100).map(&:to_s))
  end

  it 'gives an error when Redis is away, and what was on its way is not sent twice' do
    redis = boot_redis
    one = peer(redis.url)
    one.cmd('INCR', 'count')
    redis.signal(:STOP)
    answers = Thread.new { one.cmd('INCR', 'count') }
    expect(answers.value).to match(['RedisClient::ReadTimeoutError', String])
    redis.signal(:CONT)
    eventually(within: 15) { one.log.include?('is back') }
    expect(one.cmd('GET', 'count')).to eq('2') # Redis has done it later
    redis.die
    one.cmd('INCR', 'count')
    expect(one.cmd('INCR', 'count')).to match([/\ARedisClient::/, String])
    redis.start

    eventually(within: 15) { one.log.scan('is back').size == 2 }
    expect(one.cmd('GET', 'count')).to be_nil
  end
end
