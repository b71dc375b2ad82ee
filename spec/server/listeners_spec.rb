# frozen_string_literal: true

require 'socket'

# What a server listens on.
RSpec.describe 'Listeners' do
  app = "run ->(env) { [200, { 'content-type' => 'text/plain' }, [env['REMOTE_ADDR']]] }"

  # The port of the address, as the banner names it.
  def port_of(server, address)
    server.wait_for(%r{http://#{Regexp.escape(address)}:(\d+)$})[1].to_i
  end

  it 'serves many applications on IPv4, IPv6 and a Unix socket at once, on ports of its own choice' do
    path = File.join(work_dir, 'app.sock')
    server = boot_script(<<~RUBY)
      app = ->(name) { ->(env) { [200, { 'content-type' => 'text/plain' }, [name, ' ', env['REMOTE_ADDR']]] } }
      Iodine.workers = 1
      Iodine.listen(service: :http, address: '127.0.0.1', port: ENV['PORT'], handler: app['first'])
      Iodine.listen(service: :http, address: '127.0.0.1', port: 0, handler: app['second'])
      Iodine.listen(service: :http, address: '::1', port: 0, handler: app['third'])
      Iodine.listen(service: :http, url: 'unix://#{path}', handler: app['fourth'])
      Iodine.start
    RUBY
    third = port_of(server, '[::1]')
    second = server.stderr.scan(%r{http://127\.0\.0\.1:(\d+)$}).flatten.map(&:to_i).find { |port| port != server.port }
    clients = [server.client, Support::RawClient.tcp(second), Support::RawClient.tcp(third, '::1'),
               Support::RawClient.unix(path)]
    expect(clients.map { |client| client.get.body }).to eq(['first 127.0.0.1', 'second 127.0.0.1', 'third ::1', 'fourth 127.0.0.1'])
    clients.each(&:close)
  end

  it 'takes many -b of all kinds, and makes the Unix socket for owner and group' do
    path = File.join(work_dir, 'app.sock')
    server = boot(app, '-w', '1', '-b', '127.0.0.1', '-b', '[::1]', '-b', "unix://#{path}")
    ipv6 = Support::RawClient.tcp(server.port, '::1')
    unix = Support::RawClient.unix(path)
    expect([server.get.body, ipv6.get.body, unix.get.body]).to eq(%w[127.0.0.1 ::1 127.0.0.1])
    expect(File.stat(path).mode & 0o777).to eq(0o660)
    [ipv6, unix].each(&:close)
    server.kill
    server.wait
    expect(File.exist?(path)).to be(false)
  end

  it 'replaces a stale Unix socket, not a live one' do
    path = File.join(work_dir, 'app.sock')
    UNIXServer.new(path).close # leaves the file
    boot(app, '-w', '1', '-b', '127.0.0.1', '-b', "unix://#{path}")
    file = write_file(work_dir, 'config.ru', app)
    _, stderr, status = run_cli('-b', "unix://#{path}", file)
    expect(status).not_to be_success
    expect(stderr).to include(path)
    expect(Support::RawClient.unix(path).get.status).to eq(200)
  end

  it 'listens on every address, IPv6 and IPv4, when none is named' do
    server = boot_script(<<~'RUBY')
      Iodine.workers = 1
      Iodine.listen(service: :http, port: ENV['PORT'], handler: ->(env) { [200, {}, [env['REMOTE_ADDR']]] })
      Iodine.start
    RUBY
    ipv6 = Support::RawClient.tcp(server.port, '::1')
    expect([server.get.body, ipv6.get.body]).to eq(['127.0.0.1', '::1'])
    ipv6.close
  end

  it 'says which address it cannot have, and why' do
    server = boot(app, '-w', '1')
    file = write_file(work_dir, 'config.ru', app)
    _, stderr, status = run_cli('-b', '127.0.0.1', '-p', server.port.to_s, file)
    expect(status).not_to be_success
    expect(stderr).to match(/127\.0\.0\.1:#{server.port}.*in use/)
  end
end
