# frozen_string_literal: true

# RFC 9112 section 9.3.2: answers leave in the order of the requests, however deep the pipeline.
RSpec.describe 'HTTP pipelining' do
  before(:context) do
    @server = boot(<<~'RUBY', '-t', '4')
      big = 'x' * 10_000
      run(lambda do |env|
        path = env['PATH_INFO']
        sleep 0.2 if path.start_with?('/slow')
        raise 'on purpose' if path == '/raise'
        body = path == '/big' ? [big] : [path, env['rack.input'].read.to_s]
        body = body.each_entry if path.start_with?('/each')
        [200, { 'content-type' => 'text/plain' }, body]
      end)
    RUBY
  end

  let(:client) { dial }

  def get(path)
    "GET #{path} HTTP/1.1\r\nHost: spec\r\n\r\n"
  end

  it 'answers a thousand in order' do
    client.write(Array.new(1_000) { |n| get("/#{n}") }.join)
    expect(Array.new(1_000) { client.receive.body }).to eq(Array.new(1_000) { |n| "/#{n}" })
  end

  it 'keeps the order with bodies of all kinds between them' do
    requests = Array.new(300) do |n|
      body = n.to_s * (n * 3)
      case n % 3
      when 0 then get("/each#{n}")
      when 1 then "POST /#{n} HTTP/1.1\r\nHost: spec\r\nContent-Length: #{body.bytesize}\r\n\r\n#{body}"
      else
        chunk = body.empty? ? '' : "#{body.bytesize.to_s(16)}\r\n#{body}\r\n"
        "POST /#{n} HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n\r\n#{chunk}0\r\n\r\n"
      end
    end
    feeding = Thread.new { client.write(requests.join) }
    answers = Array.new(300) { client.receive.body }
    feeding.join
    expected = Array.new(300) { |n| (n % 3).zero? ? "/each#{n}" : "/#{n}#{n.to_s * (n * 3)}" }
    expect(answers).to eq(expected)
  end

  it 'holds a fast answer back until the slow one before it is out' do
    client.write(get('/slow') + get('/fast'))
    expect([client.receive.body, client.receive.body]).to eq(%w[/slow /fast])
  end

  it 'goes on behind a request that raises' do
    client.write(get('/raise') + get('/next'))
    expect(client.receive.status).to eq(500)
    expect(client.receive.body).to eq('/next')
  end

  it 'answers all before a malformed request, then refuses and closes' do
    client.write("#{get('/a')}#{get('/b')}GET / HTTP/1.1\r\nno colon\r\n\r\n#{get('/never')}")
    expect([client.receive.body, client.receive.body]).to eq(%w[/a /b])
    expect(client.receive.status).to eq(400)
    expect(client.rest).to eq('')
  end

  it 'stops reading from a client that sends and never reads' do
    flood = get('/big') * 200_000
    before = @server.rss
    sent = client.write_until_blocked(flood)
    expect(sent).to be < flood.bytesize
    expect(@server.rss - before).to be < 24_000_000
  end

  it 'answers a deep pipeline whose client reads late' do
    count = 1_000
    feeding = Thread.new { client.write(get('/big') * count) }
    sleep 0.3
    sizes = Array.new(count) { client.receive.body.bytesize }
    feeding.join
    expect(sizes.tally).to eq(10_000 => count)
  end
end
