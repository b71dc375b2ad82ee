# frozen_string_literal: true

require 'open3'

RSpec.describe 'examples/tunnel' do
  folder = File.join(ROOT, 'examples', 'tunnel')

  before(:context) do
    @redis = boot_redis
    @place = "127.0.0.1:#{@redis.port}"
    closed = Support::Server.free_port
    allowed = "#{@place} 127.0.0.1:#{closed} nowhere.invalid:1"
    @server = boot_cli('-w', '2', '-t', '2', File.join(folder, 'config.ru'), env: { 'TUNNEL_ALLOWED' => allowed })
    env = { 'TUNNEL_SERVER' => "http://127.0.0.1:#{@server.port}", 'TUNNEL_PLACE' => @place }
    @entrance = boot_cli('-w', '1', '-t', '2', File.join(folder, 'entrance.rb'), env: env)
    @closed = closed
  end

  def redis_cli(*arguments, input: nil)
    out, status = Open3.capture2e('timeout', '30', 'redis-cli', '-p', @entrance.port.to_s, *arguments, stdin_data: input)
    raise out unless status.success?

    out
  end

  def ask(place, upgrade: 'tcp')
    dial.get("/#{place}", 'connection' => 'upgrade', 'upgrade' => upgrade)
  end

  it 'lets redis-cli through' do
    expect(redis_cli('set', 'key', 'value')).to eq("OK\n")
    expect(redis_cli('get', 'key')).to eq("value\n")
    expect(redis_cli(input: "incr n\n" * 100).lines.last).to eq("100\n")
  end

  it 'carries megabytes both ways, as they are' do
    bytes = Random.new(7).bytes(3_000_000)
    expect(redis_cli('-x', 'set', 'large', input: bytes)).to eq("OK\n")
    expect(redis_cli('get', 'large').b.delete_suffix("\n".b) == bytes).to be(true)
  end

  it 'is open to many at once' do
    expect(Array.new(8) { |n| Thread.new { redis_cli('echo', n.to_s) } }.map(&:value)).to eq((0..7).map { |n| "#{n}\n" })
  end

  it 'gives by hand what was sent with the request' do
    client = dial
    client.write("GET /#{@place} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\nPING\r\n")
    head = client.receive
    expect([head.status, head['upgrade']]).to eq([101, 'tcp'])
    expect(client.read(7)).to eq("+PONG\r\n")
    client.write("QUIT\r\n")
    expect(client.rest).to eq("+OK\r\n")
  end

  it 'leads nowhere else' do
    ['127.0.0.1:22', "127.0.0.1:#{@server.port}", "#{@place}/", "x@#{@place}", ''].each { |place| expect(ask(place).status).to eq(403) }
    expect(ask(@place, upgrade: 'websocket').status).to eq(426)
  end

  it 'closes where nobody answers' do
    ["127.0.0.1:#{@closed}", 'nowhere.invalid:1'].each do |place|
      client = dial(timeout: 20)
      client.write("GET /#{place} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n")
      expect(client.receive.status).to eq(101)
      expect(client.rest).to eq('')
    end
  end
end
