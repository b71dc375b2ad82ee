# frozen_string_literal: true

# TMPDIR on a file system of 400 KB, seen by the server alone.
RSpec.describe 'A server whose disk is full' do
  before(:context) do
    folder = work_dir
    mount = "mount -t tmpfs -o size=400k none '#{folder}' && exec \"$@\""
    app = write_file(work_dir, 'config.ru', "run(->(env) { [200, {}, [env['rack.input'].read.squeeze]] })")
    port = Support::Server.free_port
    command = ['unshare', '-rm', 'sh', '-c', mount, 'sh', *ruby, File.join(ROOT, 'exe', 'iodine')]
    @server = launch([*command, '-w', '1', '-p', port.to_s, app], port: port, env: { 'TMPDIR' => folder })
  end

  def upload(client, size)
    client.request('POST', '/', { 'connection' => 'keep-alive' }, body: 'x' * size)
  end

  it 'answers 507 to a body that has no room, says so, and serves the others' do
    other = dial
    expect(upload(other, 300_000).body).to eq('x')
    3.times { expect(upload(dial, 1_000_000).status).to eq(507) }
    @server.wait_for("ERROR: can't keep the body of a request: No space left on device")
    expect(upload(other, 390_000).body).to eq('x')
    expect(upload(other, 10).body).to eq('x')
  end

  it 'gives up what it keeps for later bodies before it refuses one' do
    expect(upload(dial, 1_000_000).status).to eq(507) # and with it went what was kept
    head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 180000\r\n\r\n"
    clients = Array.new(2) { dial.write(head + ('x' * 179_999)) }
    clients.each { |client| expect(client.write('x').receive.body).to eq('x') }
    expect(upload(dial, 390_000).body).to eq('x')
  end
end
