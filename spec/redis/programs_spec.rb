# frozen_string_literal: true

# Programs that use a Redis without being a server.
RSpec.describe 'A program with a Redis' do
  def listening(redis)
    client = Support::RawClient.tcp(redis.port)
    cleanups << -> { client.close }
    client
  end

  # A program that has all that is published, as Redis has counted it.
  def run_program(redis, source)
    run_ruby("redis = Iodine::PubSub::Redis.new(#{redis.url.inspect})\n#{source}")
  end

  def published(redis)
    redis.cli('INFO', 'commandstats')[/cmdstat_publish:calls=(\d+)/, 1].to_i
  end

  let(:redis) { boot_redis }

  it 'has sent what it published when it ends' do
    _, err, status = run_program(redis, "redis.publish('jobs', 'done')")
    expect([status.success?, err, published(redis)]).to eq([true, '', 1])
  end

  it 'may publish more than may wait for a Redis that is away' do
    _, err, = run_program(redis, "30_000.times { |index| redis.publish('jobs', index.to_s) }")
    expect([err, published(redis)]).to eq(['', 30_000])
  end

  it 'may publish at its very end' do
    early = 'at_exit { $engine.publish("jobs", "last") }' # it comes after all that are set later
    out, err, = run_ruby("#{early}\n$engine = Iodine::PubSub::Redis.new(#{redis.url.inspect})\n" \
                         "at_exit { $engine.publish('jobs', 'second') }\n$engine.publish('jobs', 'first')")
    expect([out, err, published(redis)]).to eq(['', '', 3])
  end

  it 'gets the replies to its commands before it ends' do
    out, err, = run_program(redis, "redis.cmd('SET', 'k', 'v')\nredis.cmd('GET k') { |reply| puts reply }\nredis.cmd('NONSENSE')")
    expect(out).to eq("v\n")
    expect(err).to match(/\AERROR: NONSENSE failed: ERR unknown command.*\n\z/)
  end

  it 'goes on when a block fails' do
    out, err, = run_program(redis, "redis.cmd('PING') { raise 'oh' }\nredis.cmd('PING') { |reply| puts reply }")
    expect(out).to eq("PONG\n")
    expect(err).to match(/ERROR: the reply of Redis to PING: oh/)
  end

  it 'may publish and send commands in a block' do
    out, = run_program(redis, "redis.cmd('PING') { redis.publish('jobs', '1')\nredis.cmd('ECHO', 'again') { |reply| puts reply } }")
    expect([out, published(redis)]).to eq(["again\n", 1])
  end

  it 'may publish in a trap' do
    out, err, = run_program(redis, <<~RUBY)
      redis.publish('jobs', '1')
      done = Thread::Queue.new
      trap('USR1') { redis.publish('jobs', '2') and done << true }
      Process.kill('USR1', Process.pid)
      done.pop
      Thread.list.grep_v(Thread.current).each { |thread| thread.join unless thread.name.to_s.start_with?('iodine') }
    RUBY
    expect([out, err, published(redis)]).to eq(['', '', 2])
  end

  it 'may fork: the child has connections of its own, and leaves those of the parent alone' do
    out, err, = run_program(redis, <<~RUBY)
      redis.publish('jobs', 'parent')
      redis.cmd('CLIENT', 'ID') { |id| puts id }
      sleep 0.01 until redis.send(:session).instance_variable_get(:@commands).then { |commands| !commands.any? }
      Process.wait(fork { redis.publish('jobs', 'child') })
      Process.wait(fork { })
      redis.publish('jobs', 'parent')
      redis.cmd('CLIENT', 'ID') { |id| puts id }
    RUBY
    expect(err).to eq('')
    expect(out.lines.uniq.size).to eq(1)
    expect(published(redis)).to eq(3)
  end

  it 'tells what did not reach a Redis that is away, and ends' do
    redis.die
    _, err, status = run_program(redis, "20.times { |index| redis.publish('jobs', index.to_s) }")
    expect(status.success?).to be(true)
    expect(err).to match(/ERROR: Redis at \S+ can't be reached: .*\nERROR: Redis at \S+ did not get 20 messages before the end\n\z/)
  end

  it 'is told what to do when the gem is missing' do
    source = "$LOAD_PATH.reject! { |path| path.include?('redis-client') }\nmodule Gem; def self.try_activate(*) = false; end\n"
    _, err, status = run_ruby("#{source}Iodine::PubSub::Redis.new('redis://localhost')")
    expect(status.success?).to be(false)
    expect(err).to include("Iodine::PubSub::Redis needs the gem redis-client: add gem 'redis-client' to the Gemfile (LoadError)")
  end

  it 'does not load the gem before it makes one' do
    expect(ruby_output('print defined?(RedisClient).inspect')).to eq('nil')
  end
end
