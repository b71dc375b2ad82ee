# frozen_string_literal: true

# Sockets that systemd has bound.
RSpec.describe 'Socket activation' do
  # Tells what a program that it starts gets to see: variables and descriptors.
  app = <<~'RUBY'
    run(lambda do |env|
      told = IO.popen(['ruby', '-e', 'p ENV.keys.grep(/LISTEN/), Dir["/proc/self/fd/*"].count { |fd| File.socket?(fd) }'], &:read)
      [200, { 'content-type' => 'text/plain' }, [env['rack.url_scheme'], ' ', *told.lines(chomp: true)]]
    end)
  RUBY

  def activate(*sockets, arguments, file)
    iodine = [*ruby, File.join(ROOT, 'exe', 'iodine'), *arguments, '-w', '2', '-t', '1', file]
    launch(['systemd-socket-activate', *sockets.flat_map { |socket| ['-l', socket] }, '-E', 'RACK_ENV=test', *iodine],
           port: sockets.first[/\d+\z/].to_i)
  end

  let(:file) { write_file(work_dir, 'config.ru', app) }
  let(:port) { Support::Server.free_port }

  it 'serves all of them where neither address nor port is given, and keeps them from other programs' do
    path = File.join(work_dir, 'app.sock')
    server = activate("127.0.0.1:#{port}", path, [], file)
    expect(server.get.body).to eq('http []0')
    expect(curl('--unix-socket', path, 'http://x/')).to eq('http []0')
    server.wait_for("listening on http://127.0.0.1:#{port}\n")
    server.kill
    expect(server.wait).to be_success
    expect(File.socket?(path)).to be(true) # it is systemd's
  end

  it 'serves those whose address is given, with what they wait with, and says which others there are' do
    other, tls = Array.new(2) { Support::Server.free_port }
    server = activate("127.0.0.1:#{port}", "[::1]:#{other}", "127.0.0.1:#{tls}",
                      ['-b', "http://127.0.0.1:#{port}", '-b', "https://127.0.0.1:#{tls}"], file)
    expect(server.get.status).to eq(200)
    expect(curl('-k', "https://127.0.0.1:#{tls}/")).to start_with('https')
    server.wait_for(/WARNING: nothing listens on \[::1\]:#{other}, which systemd has bound: .*-b\n/)
    expect { Support::RawClient.tcp(other, '::1') }.to raise_error(Errno::ECONNREFUSED)
  end

  it 'leaves alone what is meant for another process' do
    server = launch([*ruby, File.join(ROOT, 'exe', 'iodine'), '-b', '127.0.0.1', '-p', port.to_s, '-w', '1', file],
                    port: port, env: { 'LISTEN_PID' => '1', 'LISTEN_FDS' => '1' })
    expect(server.get.body).to eq('http []0')
  end
end
