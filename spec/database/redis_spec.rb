# frozen_string_literal: true

# redis-client compares the process by Process._fork, which runs since iodine forks as Ruby does.
RSpec.describe 'connections to Redis across forks' do
  it 'are made anew in each worker, and stay the root\'s in the root' do
    redis = boot_redis
    server = boot(<<~RUBY, '-w', '2', '-t', '2', lint: false, env: { 'REDIS' => redis.url })
      require 'redis-client'
      CLIENT = RedisClient.config(url: ENV.fetch('REDIS'), protocol: 2).new_client
      BOOT = CLIENT.call('CLIENT', 'ID')
      LOCK = Mutex.new
      Iodine.run_every(20) { LOCK.synchronize { CLIENT.call('SET', 'root', CLIENT.call('CLIENT', 'ID')) } unless Iodine.worker? }
      run(lambda do |env|
        id = LOCK.synchronize { CLIENT.call('ECHO', env['PATH_INFO']) == env['PATH_INFO'] && CLIENT.call('CLIENT', 'ID') }
        [200, { 'content-type' => 'text/plain' }, ["\#{Process.pid} \#{id} \#{BOOT}"]]
      end)
    RUBY
    seen = {}
    collect = lambda do |workers|
      eventually(within: 20) do
        pid, id, boot = server.get("/#{seen.size}").body.split
        (seen[id] ||= []).push(pid).uniq!
        expect(id).not_to eq(boot)
        (workers - seen.values.flatten.map(&:to_i)).empty?
      end
    end

    collect.call(old = server.children)
    server.kill(:USR1)
    eventually(within: 30) { server.children.size == 2 && !server.children.intersect?(old) }
    collect.call(server.children)
    expect(seen.values.map(&:size).uniq).to eq([1])
    boot = server.get('/').body.split.last
    eventually { redis.cli('GET', 'root') == boot }
    expect(server.stderr).not_to include('ERROR')
  end
end
