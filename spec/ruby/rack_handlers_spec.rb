# frozen_string_literal: true

RSpec.describe 'the Rack handlers' do
  # What `rackup` does, with the one that this bundle has: Rackup's with Rack 3, Rack's own with Rack 2.
  let(:program) { <<~RUBY }
    require 'rack'
    Rack.release < '3' ? Rack::Server.start : (require 'rackup'; Rackup::Server.start)
  RUBY

  let(:config) { write_file(work_dir, 'config.ru', <<~RUBY) }
    run(lambda do |env|
      sleep env['PATH_INFO'].delete('/').to_f
      [200, { 'content-type' => 'text/plain' }, ["\#{Iodine.threads} \#{Iodine.workers}"]]
    end)
  RUBY

  def rackup(*arguments, env: {})
    port = Support::Server.free_port
    command = [*ruby, '-e', program, '--', '-s', 'iodine', '-p', port.to_s, '-o', '127.0.0.1', *arguments, config]
    launch(command, port: port, env: env)
  end

  it 'serve an application by rackup, with one process and 4 threads in development' do
    server = rackup(env: { 'RACK_ENV' => 'development' })
    expect(server.get.body).to eq('4 1')
    server.wait_for("listening on http://127.0.0.1:#{server.port}")
  end

  it 'let the environment decide' do
    expect(rackup(env: { 'RACK_ENV' => nil, 'THREADS' => '2' }).get.body).to eq('2 0')
    expect(rackup(env: { 'RACK_ENV' => 'production', 'THREADS' => '2', 'WORKERS' => '1' }).get.body).to eq('2 1')
  end

  it 'take options by -O' do
    expect(rackup('-O', 'Threads=3', '-O', 'Workers=1', env: { 'RACK_ENV' => 'development' }).get.body).to eq('3 1')
  end

  describe 'with config/iodine.rb' do
    let(:dir) { File.dirname(config) }

    def configured(source, *arguments, port: Support::Server.free_port, env: {})
      write_file(dir, 'config/iodine.rb', source)
      command = [*ruby, '-e', program, '--', '-s', 'iodine', *arguments, config]
      launch(command, port: port, dir: dir, env: { 'RACK_ENV' => 'development' }.merge(env))
    end

    it 'read it, and have the last word' do
      port = Support::Server.free_port
      pid = File.join(dir, 'app.pid')
      server = configured("port #{port}\nbind '127.0.0.1'\nthreads 3\nworkers 2\npid #{pid.inspect}\non_start { warn 'up' }", port: port)
      expect(server.get.body).to eq('3 2')
      expect(File.read(pid).to_i).to eq(server.pid)
      eventually { server.stderr.scan(/^up$/).size == 2 }
      server.kill
      server.wait

      other = Support::Server.free_port
      told = configured("port #{port}\nthreads 3\nworkers 2", '-p', other.to_s, '-O', 'Threads=5',
                        port: other, env: { 'WORKERS' => '1' })
      expect(told.get.body).to eq('5 1')
    end

    it 'leave what the application has set, and end where the file is wrong' do
      port = Support::Server.free_port
      write_file(dir, 'config.ru', "require 'iodine'\nIodine.threads = 6\n#{File.read(config)}")
      expect(configured("threads 3\nworkers 1\nport #{port}", port: port).get.body).to eq('6 1')
      server = configured("\nprot #{port}\n", port: nil)
      expect(server.wait.exitstatus).to eq(64)
      expect(server.stderr).to match(%r{^iodine: config/iodine\.rb:2: unknown setting prot: did you mean port\?$})
    end
  end

  it 'end at once at ^C' do
    server = rackup(env: { 'RACK_ENV' => 'development' })
    client = server.client
    client.write("GET /20 HTTP/1.1\r\nhost: x\r\n\r\n")
    sleep 0.3
    server.kill(:INT)
    server.wait(timeout: 4)
  end

  it 'end gracefully at TERM' do
    server = rackup(env: { 'RACK_ENV' => 'development' })
    client = server.client
    client.write("GET /0.5 HTTP/1.1\r\nhost: x\r\n\r\n")
    sleep 0.2
    server.kill
    expect(client.receive.status).to eq(200)
    server.wait(timeout: 4)
  end

  it 'are found by their names' do
    out = ruby_output(<<~RUBY)
      require 'rack'
      handlers = Rack.release < '3' ? Rack::Handler : (require 'rackup'; Rackup::Handler)
      p handlers.get('iodine').equal?(Iodine::Rack), handlers.default.equal?(Iodine::Rack)
      p handlers::Iodine.valid_options.keys.grep(/\\A(?:Host|Port|Threads|Workers)=/).size
      p Iodine::Rack::IODINE_RACK_LOADED
    RUBY
    expect(out).to eq("true\ntrue\n4\ntrue\n")
  end

  it 'can be called from Ruby' do
    port = Support::Server.free_port
    out = ruby_output(<<~RUBY)
      require 'net/http'
      Iodine.verbosity = 1
      Iodine.threads = Iodine.workers = 1
      Iodine.run { Thread.new { puts Net::HTTP.get(URI('http://127.0.0.1:#{port}/')); Iodine::Rack.shutdown } }
      p Iodine::Rack.run(->(_env) { [200, {}, ['ok']] }, Port: #{port}, Host: '127.0.0.1').equal?(Iodine)
    RUBY
    expect(out).to eq("ok\ntrue\n")
  end
end
