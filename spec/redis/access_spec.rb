# frozen_string_literal: true

require 'iodine'
require_relative 'peer'

RSpec.describe 'A Redis that does not let everybody in' do
  include Peer::Helper

  # Publishes to itself by way of Redis.
  def expect_to_work(redis, url = redis.url, **options)
    one = subscribed(redis, peer(url, **options), 'chat')
    one.publish('chat', 'hello')
    eventually { one.messages('chat') == %w[hello] }
    expect([one.cmd('PING'), one.log]).to eq(['PONG', ''])
  end

  # What the log says, once.
  def expect_refusal(url, line)
    one = peer(url)
    one.subscribe('chat')
    one.publish('chat', 'hello')
    eventually { one.log.match?(line) }
    expect(one.cmd('PING')).to match([start_with('RedisClient::'), String])
    expect(one.messages('chat')).to eq(%w[hello])
    expect(one.log.scan(line).size).to eq(1)
    expect(one.log).not_to include('secret')
  end

  it 'may be on a Unix socket' do
    redis = boot_redis(unix: true)
    expect_to_work(redis)
  end

  it 'may want a password' do
    redis = boot_redis('--requirepass', 'se/cret#')
    redis.login = %w[-a se/cret# --no-auth-warning]
    expect_to_work(redis, redis.url(':se%2Fcret%23@'))
    expect_refusal(redis.url, %r{ERROR: Redis at redis://127\.0\.0\.1:\d+ refuses: NOAUTH Authentication required: check user})
    expect_refusal(redis.url(':secret@'), %r{ERROR: Redis at redis://127\.0\.0\.1:\d+ refuses: WRONGPASS invalid.*: check user})
  end

  it 'may have no such database' do
    redis = boot_redis
    expect_refusal("#{redis.url}/99", /refuses: ERR DB index is out of range: check user, password and database/)
    expect_to_work(redis, "#{redis.url}/3")
  end

  describe 'with users' do
    # Who may do all that is needed, and nothing else.
    rights = %w[resetchannels -@all +publish +subscribe +psubscribe +unsubscribe +punsubscribe +ping on >secret]

    before(:context) do
      @redis = boot_redis
      @redis.cli('ACL', 'SETUSER', 'anna', *rights, 'allchannels')
      @redis.cli('ACL', 'SETUSER', 'ben', *rights, '&chat', '&ready*')
      @redis.cli('ACL', 'SETUSER', 'carl', *rights, '&chat', '&ready*', '-publish')
    end

    it 'lets one do what pub/sub needs' do
      one = subscribed(@redis, peer(@redis.url('anna:secret@')), 'chat', 'other')
      one.publish('chat', 'hello')
      eventually { one.messages('chat') == %w[hello] }
      expect(one.log).to eq('')
    end

    it 'does not know one' do
      expect_refusal(@redis.url('dora:secret@'), /refuses: WRONGPASS/)
    end

    it 'denies a channel: its own subscribers are served, the others are not affected, and one line tells' do
      one = subscribed(@redis, peer(@redis.url('ben:secret@')), *Array.new(20) { |index| "denied:#{index}" }, 'chat')
      one.publish('denied:1', '1', '2')
      one.publish('chat', '1', '2')
      eventually { one.heard.size == 4 }
      expect(one.messages('denied:1')).to eq(%w[1 2])
      expect(one.messages('chat')).to eq(%w[1 2])
      address = %r{redis://127\.0\.0\.1:\d+}
      expect(one.log.lines).to contain_exactly(
        match(/^ERROR: Redis at #{address} doesn't let us subscribe to "denied:0": NOPERM .*: its ACL must allow it$/),
        match(/^ERROR: Redis at #{address} doesn't let us publish to "denied:1": NOPERM .*: its ACL must allow it$/)
      )
    end

    it 'denies a pattern: its subscribers get what this cluster publishes' do
      one = subscribed(@redis, peer(@redis.url('ben:secret@')))
      one.tell(:subscribe, 'cha?', true)
      eventually { one.log.include?('doesn\'t let us subscribe to "cha?"') }
      one.publish('chat', '1', '2')
      eventually { one.messages('chat') == %w[1 2] }
    end

    it 'denies to publish' do
      one = peer(@redis.url('carl:secret@'))
      one.subscribe('chat')
      eventually { @redis.subscribers('chat').positive? }
      one.publish('chat', '1', '2')
      @redis.cli('PUBLISH', 'chat', '3')
      eventually { one.messages('chat').size == 3 }
      expect(one.messages('chat')).to match_array(%w[1 2 3])
      expect(one.log.lines.size).to be <= 1 # none if it was published before it was known to be there
    end
  end

  describe 'over TLS' do
    before(:context) do
      @authority = Support::Authority.new(work_dir)
      @redis = boot_redis(tls: @authority.issue('localhost', names: %w[localhost redis.test]))
    end

    it 'is trusted if the system trusts its authority' do
      expect_to_work(@redis, @redis.url(host: 'localhost'), env: { 'SSL_CERT_FILE' => @authority.path })
    end

    it 'is not trusted otherwise' do
      expect_refusal(@redis.url(host: 'localhost'), %r{ERROR: Redis at rediss://localhost:\d+ can't be reached: .*certificate verify failed})
    end

    it 'is not trusted with another name' do
      one = peer(@redis.url(host: '127.0.0.1'), env: { 'SSL_CERT_FILE' => @authority.path })
      one.subscribe('chat')
      eventually { one.log.match?(/can't be reached: .*certificate verify failed/) }
    end
  end
end
