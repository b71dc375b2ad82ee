# frozen_string_literal: true

# Many bad clients at once, and an honest one beside them: it is served, whatever they do.
RSpec.describe 'Beside attackers' do
  count = 200

  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '2', '--head-timeout', '2', '--body-timeout', '2', '--write-timeout', '2', lint: false)
      big = 'x' * 5_000_000
      run(lambda do |env|
        raise [env['HTTP_X_RAISE']].pack('H*') if env['HTTP_X_RAISE']

        body = env['PATH_INFO'] == '/big' ? big : env['rack.input']&.read.to_s
        [200, { 'content-type' => 'text/plain' }, [body]]
      end)
    RUBY
  end

  def honest
    Array.new(20) { dial { |client| client.request('POST', '/', body: 'hello').body } }.uniq
  end

  {
    'heads that never end' => ["GET / HTTP/1.1\r\nHost: x\r\n", "X-a: b\r\n"],
    'bodies that drip' => ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n", 'x'],
    'chunks that drip' => ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"],
    'chunk sizes that never end' => ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", '0'],
    'answers that nobody reads' => ["GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 10, "\r\n"],
    'ranges by the thousand' => ["HEAD / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-#{(1..1000).map { |n| ",5-#{n}" }.join}\r\n\r\n", '']
  }.each do |name, (first, again)|
    it "serves others: #{name}" do
      clients = Array.new(count) { dial.try_write(first) }
      3.times do
        expect(honest).to eq(['hello'])
        clients.each { |client| client.try_write(again) }
      end
      clients.each(&:close)
      eventually(within: 10) { @server.descriptors < 60 }
    end
  end

  it 'ends heads that trickle, each at its time, and takes none of it for a request' do
    clients = Array.new(count) { dial.write("GET / HTTP/1.1\r\n") }
    expect(clients.map { |client| client.receive.status }.uniq).to eq([408])
  end

  it 'passes no order to a terminal that shows the log' do
    dial.get('/', 'x-raise' => "a\e[2J\revil".unpack1('H*'))
    @server.wait_for(/ERROR: GET .*evil/)
    expect(@server.stderr).not_to match(/\e|\r/)
  end
end
