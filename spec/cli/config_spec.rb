# frozen_string_literal: true

RSpec.describe 'the configuration file' do
  let(:dir) { work_dir.tap { |path| write_file(path, 'config.ru', app) } }
  let(:app) { "run ->(_env) { [200, {}, [[Iodine.threads, Iodine.workers, ENV['RACK_ENV']].inspect]] }\n" }

  def config(source, name = 'config/iodine.rb')
    write_file(dir, name, source)
  end

  # @return [Hash{String => Array(String, String)}] setting => its value and its origin
  def check(*arguments, **options)
    out, err, status = run_cli('--check', *arguments, dir: dir, **options)
    raise "status #{status.exitstatus}: #{err}" unless status.success?

    out.lines(chomp: true).to_h { |line| line.split(/ {2,}/).then { |name, *rest| [name, rest] } }
  end

  # The one line of an error.
  def refusal(*arguments)
    out, err, status = run_cli('--check', *arguments, dir: dir)
    expect([status.exitstatus, out, err.lines.size]).to eq([64, '', 1]), err
    err
  end

  it 'is config/iodine.rb of the folder, with the names of the options, states and any Ruby' do
    port = Support::Server.free_port
    journal = File.join(dir, 'journal')
    config(<<~RUBY)
      def note(text) = File.write(#{journal.inspect}, "\#{text}\\n", mode: 'a')

      port #{port}
      bind 'http://127.0.0.1', 'unix://#{dir}/app.sock'
      threads 2
      workers ENV.fetch('NOTHING', '2')
      keep_alive 9
      log true
      pid '#{dir}/app.pid'
      environment 'production'
      public '#{dir}'
      Iodine::DEFAULT_SETTINGS[:max_age] = 7 if Iodine.threads == 2
      before_fork { note 'before' }
      on_state(:on_start) { note 'start' }
      on_finish { note "over \#{Iodine.master?}" }
    RUBY
    server = launch([*ruby, File.join(ROOT, 'exe', 'iodine')], port: port, dir: dir, env: { 'RACK_ENV' => nil })
    expect(server.get.body).to eq('[2, 2, "production"]')
    expect(server.get('/config.ru').headers).to include('cache-control' => 'max-age=7')
    expect(curl('--unix-socket', "#{dir}/app.sock", 'http://x/')).to start_with('[2, 2')
    expect(File.read("#{dir}/app.pid").to_i).to eq(server.pid)
    server.kill
    server.wait
    expect(File.readlines(journal, chomp: true).tally)
      .to eq('before' => 2, 'start' => 2, 'over true' => 1, 'over false' => 2)
    expect(server.stdout + server.stderr).to include('"GET / HTTP/1.1" 200')
    expect(server.stderr).not_to include('WARNING')
  end

  it 'has less to say than the environment, that less than the command line; --check tells who has set what' do
    config("\nport 4000\nthreads 9\nworkers 9\ntimeout 9\nlog\nIodine::DEFAULT_SETTINGS[:max_age] = 5\n" \
           "redis 'redis://me:secret@127.0.0.1/0'\ntrusted_proxy ['10.0.0.0/8', '::1']\nno_deflate true\n")
    expect(check('-w', '7', '-tls', env: { 'THREADS' => '8', 'WORKERS' => '8' })).to include(
      'application' => ['config.ru'], 'port' => ['4000', 'config/iodine.rb:2'], 'threads' => ['8', 'ENV THREADS'],
      'workers' => %w[7 flag], 'timeout' => ['9', 'config/iodine.rb:5'], 'log' => ['yes', 'config/iodine.rb:6'],
      'max_age' => ['5', 'config/iodine.rb'], 'redis' => ['redis://me:***@127.0.0.1/0', 'config/iodine.rb:8'],
      'trusted_proxy' => ['10.0.0.0/8, ::1', 'config/iodine.rb:9'], 'no_deflate' => ['yes', 'config/iodine.rb:10'],
      'tls' => %w[yes flag], 'max_body' => %w[50 default], 'no_symlinks' => %w[no default]
    )
  end

  it 'has all options as words, and --check lists each' do
    require 'iodine/cli'
    named = Iodine::CLI::OPTIONS.map(&:key) - %i[config check version help]
    expect(check.keys).to eq(['application', *named.map(&:to_s)])
    spoken = Iodine::CLI::OPTIONS.select { |option| named.include?(option.key) && !option.value }.flat_map(&:words)
    config(spoken.map { |word| "#{word} false\n" }.join)
    expect(check).to include('tls' => ['no', "config/iodine.rb:#{spoken.index(:tls) + 1}"])
  end

  it 'is another one with -C' do
    config('threads 3')
    config('threads 5', 'other.rb')
    expect(check('-C', 'other.rb')['threads']).to eq(['5', 'other.rb:1'])
  end

  [
    ['prot 3000', /unknown setting prot: did you mean port\?/], ['x = nonsense', /unknown setting nonsense: iodine -h/],
    ['threads "many"', /threads needs a number from -4095 to 4095, not "many"/], ['threads 1, 2', /threads takes one/],
    ['port', /port takes one value, not 0: port PORT/], ["log 'yes'", /log is true or false, not "yes"/],
    ['on_state(:x) {}', /unknown state :x: use one of/], ["bind 'gopher://x'", /gopher:.*use http/],
    ["public 'nowhere'", /there is no folder/], ["trusted_proxy '10'", /"10" is no network/], ['on_start', /needs a block/],
    ['raise "no luck"', /no luck/], ['Object.new.prot', /undefined method/], ['plugin :x', /unknown setting plugin/]
  ].each do |line, message|
    it "says in one line, with its place, what is wrong with #{line}" do
      config("# a comment\n#{line}\n")
      expect(refusal).to match(%r{\Aiodine: (?:/.*/)?config/iodine\.rb:2: .*#{message}})
    end
  end

  it 'is checked with what it names, as a whole' do
    config('1 +')
    expect(refusal).to match(/syntax error/)
    config('Iodine::DEFAULT_SETTINGS[:max_body] = 0')
    expect(refusal).to match(/max_body is 0: give a number from 1/)
    config("tls_cert 'nowhere.pem'")
    expect(refusal).to match(/can't read the certificate .*nowhere\.pem/)
    config("tls_key 'nowhere.pem'")
    expect(refusal).to match(/-tls-key needs its certificate/)
    config('')
    expect(refusal('-C', 'nowhere.rb')).to match(/there is no file nowhere\.rb/)
    expect(refusal('nowhere.ru')).to match(/there is no file nowhere\.ru/)
    expect(refusal('-b', '127.0.0.1:80:90/x://y')).to match(/-b: /)
  end

  it 'fails a start as it fails the check' do
    config("\nprot 1\n")
    _, err, status = run_cli(dir: dir)
    expect([status.exitstatus, err]).to eq([64, "iodine: config/iodine.rb:2: unknown setting prot: did you mean port?\n"])
  end

  describe 'of Puma' do
    let(:puma) { <<~RUBY }
      threads_count = ENV.fetch('RAILS_MAX_THREADS', 3)
      threads 1, threads_count
      workers ENV.fetch('WEB_CONCURRENCY', 2)
      environment 'staging'
      preload_app!
      pidfile '#{dir}/app.pid'
      plugin :tmp_restart
      plugin :other
      before_fork { puts 'before' }
      on_worker_boot { puts 'boot' }
      before_worker_boot { puts 'boot too' }
      on_worker_shutdown { puts "shutdown \#{Iodine.worker?}" }
    RUBY

    it 'is understood when -C names it' do
      port = Support::Server.free_port
      config("#{puma}port #{port}, '127.0.0.1'\nbind 'tcp://127.0.0.1:#{Support::Server.free_port}?low_latency=1'\n", 'config/puma.rb')
      server = launch([*ruby, File.join(ROOT, 'exe', 'iodine'), '-C', 'config/puma.rb'],
                      port: port, dir: dir, env: { 'RACK_ENV' => nil })
      expect(server.get.body).to eq('[3, 2, "staging"]')
      expect(File.exist?("#{dir}/app.pid")).to be(true)
      server.kill
      server.wait
      expect(server.stdout.lines(chomp: true).tally).to eq('before' => 2, 'boot' => 2, 'boot too' => 2, 'shutdown true' => 2)
      expect(server.stderr.scan('plugin, a word of Puma').size).to eq(1)
      expect(server.stderr.scan(/low_latency.*from_puma/).size).to eq(1)
    end

    it 'is left alone where it is not named, and its words are unknown to config/iodine.rb' do
      config(puma, 'config/puma.rb')
      expect(check['threads']).to eq(%w[4 default])
      config("\npreload_app!\n")
      expect(refusal).to match(%r{config/iodine\.rb:2: unknown setting preload_app!})
    end
  end
end
