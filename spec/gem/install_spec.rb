# frozen_string_literal: true

require 'rubygems/package'

# The gem as its users get it: built, installed into an empty GEM_HOME, loaded.
RSpec.describe 'The gem' do
  before(:context) do
    @dir = work_dir
    @gem = File.join(@dir, 'iodine.gem')
    gem_command('build', File.join(ROOT, 'iodine.gemspec'), '--output', @gem)
  end

  # Runs `gem` or `ruby` outside the bundle, with nothing installed but what the block's spec installs.
  def isolated(*command, home: @dir, env: {})
    env = { 'GEM_HOME' => home, 'GEM_PATH' => home, 'LD_PRELOAD' => nil, 'NO_SSL' => nil }.merge(env)
    out, status = Bundler.with_unbundled_env { Open3.capture2e(env, *command, chdir: ROOT) }
    raise "#{command.join(' ')} failed:\n#{out}" unless status.success?

    out
  end

  def gem_command(*args, **options)
    isolated(RbConfig.ruby, '-S', 'gem', *args, **options)
  end

  def install(home, *flags, **options)
    gem_command('install', '--local', '--no-document', @gem, *flags, home: home, **options)
  end

  it 'has no dependency and all that it needs' do
    spec = Gem::Package.new(@gem).spec
    expect(spec.runtime_dependencies).to be_empty
    expect(spec.files).to include('lib/iodine.rb', 'exe/iodine', 'LICENSE', 'CHANGELOG.md', 'ext/iodine/extconf.rb',
                                  'ext/iodine/base/slice.h', 'ext/iodine/reactor/poller_kqueue.c')
    expect(spec.files.grep(/\.(so|o|bundle)\z|\Aspec|\Aexamples|\Abench/)).to be_empty
  end

  context 'when it is installed as it is' do
    before(:context) do
      @home = File.join(@dir, 'plain')
      install(@home)
    end

    it 'loads alone' do
      script = 'before = $LOADED_FEATURES.dup; require "iodine"; puts Gem.loaded_specs.keys, $LOADED_FEATURES - before'
      own, foreign = isolated(RbConfig.ruby, '-e', script, home: @home).split("\n").partition { |line| line['iodine'] }
      expect(own).to include('iodine', end_with("/iodine/iodine_ext.#{RbConfig::CONFIG['DLEXT']}"))
      expect(foreign - %w[error_highlight did_you_mean syntax_suggest]).to eq([]) # Ruby's own
    end

    it 'serves a script without any other gem' do
      script = write_file(@dir, 'app.rb', <<~RUBY)
        require 'iodine'
        Iodine.listen(service: :http, handler: ->(env) { [200, {}, [env['PATH_INFO']]] })
        Iodine.threads = 1
        Iodine.workers = 1
        Iodine.start
      RUBY
      port = Support::Server.free_port
      env = { 'GEM_HOME' => @home, 'GEM_PATH' => @home, 'PORT' => port.to_s, 'ADDRESS' => '127.0.0.1' }
      server = Bundler.with_unbundled_env { launch([RbConfig.ruby, script], port: port, env: env) }
      expect(server.get('/alone').body).to eq('/alone')
    end

    it 'says in one line that a config.ru needs rack' do
      config = write_file(@dir, 'config.ru', "run ->(env) { [200, {}, []] }\n")
      expect { isolated(File.join(@home, 'bin', 'iodine'), config, home: @home) }
        .to raise_error(/failed:\n[^\n]*rack[^\n]*\n?\z/i)
    end
  end

  context 'when it is installed with flags' do
    before(:context) do
      @home = File.join(@dir, 'flags')
      flags = '-DHTTP_MAX_HEADER_LENGTH=48000 -DHTTP_MAX_HEADER_COUNT=64 -DFIO_FORCE_MALLOC=1'
      install(@home, '--', "--with-cflags=#{flags}")
    end

    it 'was built with each of them' do
      built = isolated(RbConfig.ruby, '-r', 'iodine', '-e', 'p Iodine::Server.build', home: @home)
      expect(built).to include('48000').and include('64').and include('true')
    end

    it 'has those limits when it serves' do
      port = Support::Server.free_port
      source = 'Iodine.listen(service: :http, handler: ->(env) { [200, {}, []] }); Iodine.workers = 1; Iodine.start'
      env = { 'GEM_HOME' => @home, 'GEM_PATH' => @home, 'PORT' => port.to_s }
      server = Bundler.with_unbundled_env { launch([RbConfig.ruby, '-riodine', '-e', source], port: port, env: env) }
      statuses = [lines(64, 5), lines(65, 5), lines(6, 7900), lines(8, 7900)].map { |request| server.client.ask(request).status }
      expect(statuses).to eq([200, 431, 200, 431])
    end

    # A request with this many header lines of about this size.
    def lines(count, size)
      headers = Array.new(count - 1) { |n| "x-#{n}: #{'v' * size}\r\n" }.join
      "GET / HTTP/1.1\r\nhost: x\r\n#{headers}\r\n"
    end
  end

  context 'when it is installed with NO_SSL=1' do
    before(:context) do
      @home = File.join(@dir, 'plain_text')
      install(@home, env: { 'NO_SSL' => '1' })
      @script = write_file(@dir, 'listen.rb', <<~RUBY)
        require 'iodine'
        Iodine.listen(service: :http) { |env| [200, {}, [env['rack.url_scheme']]] }
        Iodine.threads = Iodine.workers = 1
        Iodine.start
      RUBY
    end

    def ruby_alone(code)
      isolated(RbConfig.ruby, '-r', 'iodine', '-e', code, home: @home)
    end

    it 'serves all else' do
      port = Support::Server.free_port
      env = { 'GEM_HOME' => @home, 'GEM_PATH' => @home, 'PORT' => port.to_s, 'ADDRESS' => '127.0.0.1' }
      server = Bundler.with_unbundled_env { launch([RbConfig.ruby, @script], port: port, env: env) }
      expect(server.get.body).to eq('http')
    end

    it 'knows that it has no TLS, and is not linked with OpenSSL' do
      expect(ruby_alone('p Iodine::TLS::SUPPORTED')).to eq("false\n")
      library = Dir[File.join(@home, '**', "iodine_ext.#{RbConfig::CONFIG['DLEXT']}")].first
      expect(`ldd #{library.shellescape}`).not_to match(/libssl|libcrypto/)
    end

    ['Iodine::TLS.new("x")', 'Iodine::TLS.new', 'Iodine.listen(service: :https) {}'].each do |code|
      it "answers #{code} with one line" do
        expect(ruby_alone("begin; #{code}; rescue => e; puts e.class, e.message; end"))
          .to match(/\ARuntimeError\nthis iodine was built without TLS: install .* without NO_SSL\n\z/)
      end
    end

    ['-tls', '-b https://127.0.0.1:0', '-tls-cert cert.pem -tls-key key.pem'].each do |options|
      it "answers #{options} with one line and exit status 64" do
        command = [File.join(@home, 'bin', 'iodine'), *options.split, @script].shelljoin
        expect(isolated('sh', '-c', "#{command}; echo $?", home: @home))
          .to match(/\Aiodine: this iodine was built without TLS: [^\n]*\n64\n\z/)
      end
    end
  end
end
