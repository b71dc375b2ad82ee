# frozen_string_literal: true

RSpec.describe 'examples/echo' do
  before { @server = boot_cli('-w', '1', '-t', '2', File.join(ROOT, 'examples', 'echo', 'echo.rb')) }

  it 'says what it hears, byte for byte' do
    bytes = Random.new(7).bytes(1_000_000)
    clients = Array.new(3) { dial }
    writers = clients.map { |client| Thread.new { client.write(bytes) } }
    expect(clients.map { |client| client.read(bytes.bytesize) == bytes }).to eq([true] * 3)
    writers.each(&:join)
  end

  it 'says goodbye when the server stops' do
    client = dial
    expect(client.write('hello').read(5)).to eq('hello')
    @server.kill
    expect(client.rest).to eq("The server stops.\n")
    expect(@server.wait).to be_success
  end
end
