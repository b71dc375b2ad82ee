# frozen_string_literal: true

# What docs/scaling.md shows, as it stands there.
RSpec.describe 'docs/scaling.md' do
  text = File.read(File.join(ROOT, 'docs', 'scaling.md'))
  app = text[/^`chat\.ru`.*?```ruby\n(.*?)^```$/m, 1]
  script = text[/^The first one shows.*?```ruby\n(.*?)^```$/m, 1]
  servers = text[/^redis-server .*?(?=^```)/m].lines(chomp: true).grep(/^iodine /).map { |line| line.split.drop(1) }

  it 'has two clusters that share a chat' do
    redis = boot_redis
    folder = work_dir
    write_file(folder, 'chat.ru', app)
    one, two = servers.map do |arguments|
      arguments = arguments.map { |word| word.sub('6399', redis.port.to_s) }
      arguments[arguments.index('-p') + 1] = Support::Server.free_port.to_s
      arguments[-1] = File.join(folder, arguments.last)
      boot_cli(*arguments)
    end
    listener = Support::EventStream.new(dial(two))
    eventually { redis.subscribers('chat') == 1 }
    curl('-d', 'hello', "http://127.0.0.1:#{one.port}/")
    expect(listener.data).to eq('hello')
    redis.cli('PUBLISH', 'chat', 'from redis-cli')
    expect(listener.data).to eq('from redis-cli')
    expect(run_ruby(script.sub('6399', redis.port.to_s)).last).to be_success
    expect(listener.data).to eq('hello from a job')
  end

  it 'has the rights that a user of Redis needs' do
    redis = boot_redis
    redis.cli(*text[/^ACL SETUSER .*/].split)
    out, err, = run_ruby(<<~RUBY)
      redis = Iodine::PubSub::Redis.new(#{redis.url('iodine:password@').inspect})
      redis.define_singleton_method(:deliver) { |*words| p words }
      redis.subscribe('chat')
      redis.subscribe('room:*', true)
      redis.unsubscribe('room:*', true)
      redis.publish('chat', 'hello')
      sleep 0.01 until redis.send(:session).instance_variable_get(:@ledger).then { |ledger| ledger.size.zero? && !ledger.missing? }
    RUBY
    expect([out, err]).to eq([%(["chat", "hello"]\n), ''])
  end
end
