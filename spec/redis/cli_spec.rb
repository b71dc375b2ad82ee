# frozen_string_literal: true

RSpec.describe 'The options for Redis' do
  app = "run ->(env) { [200, {}, [Iodine::PubSub.default.inspect]] }\n"

  def file(source)
    write_file(work_dir, 'config.ru', source)
  end

  [%w[-r redis://a.example], %w[-redis redis://a.example -rp 5], %w[--redis=redis://a.example --redis-ping=0]].each do |options|
    it "are understood as #{options.join(' ')}: nothing connects before it is needed" do
      server = boot(app, '-w', '1', '-t', '1', *options, lint: false)
      expect(server.get.body).to eq('#<Iodine::PubSub::Redis redis://a.example:6379>')
      expect(server.stderr).not_to match(/ERROR/)
    end
  end

  it 'may be in the environment, which -r goes before' do
    env = { IODINE_REDIS_URL: 'redis://b.example' }
    expect(boot(app, '-w', '1', '-t', '1', lint: false, env: env).get.body).to include('redis://b.example:6379')
    expect(boot(app, '-w', '1', '-t', '1', '-r', '/run/a.sock', lint: false, env: env).get.body).to include('unix:///run/a.sock')
  end

  it 'are there before the application, which may choose another engine' do
    server = boot("warn Iodine::PubSub.default.inspect\nIodine::PubSub.default = nil\n#{app}", '-w', '1', '-t', '1', '-r', 'a.example',
                  lint: false)
    expect(server.get.body).to eq('Iodine::PubSub::CLUSTER')
    expect(server.stderr).to include('#<Iodine::PubSub::Redis redis://a.example:6379>')
  end

  { '-r http://x' => /"http:.*" is no URL of a Redis: use redis:/, '-r redis://:s#cret@x' => %r{"redis://\*\*\*@x" is no URL},
    '-r redis://x -rp 256' => /-rp needs a number from 0 to 255/, '-rp 5' => /-rp is of no use without a Redis/,
    '-r' => /-r needs a value/ }.each do |options, line|
    it "say in one line what is wrong: #{options}" do
      out, err, status = run_cli(file(app), *options.split)
      expect([out, status.exitstatus]).to eq(['', 64])
      expect(err).to match(/\Aiodine: .*\n\z/).and match(line)
    end
  end

  it 'say so of the environment, too' do
    _, err, status = run_cli(file(app), env: { IODINE_REDIS_URL: 'nonsense://x' })
    expect(status.exitstatus).to eq(64)
    expect(err).to match(/\Aiodine: "nonsense:.*is no URL of a Redis: .*\n\z/)
  end

  it 'say in one line that the gem is missing' do
    dir = work_dir
    write_file(dir, 'redis-client.rb', "raise LoadError.new('cannot load such file -- redis-client').tap { |e| def e.path = 'redis-client' }")
    _, err, status = run_cli(file(app), '-r', 'redis://localhost', env: { RUBYLIB: dir })
    expect(status.exitstatus).to eq(64)
    expect(err).to eq("iodine: Iodine::PubSub::Redis needs the gem redis-client: add gem 'redis-client' to the Gemfile\n")
  end
end
