# frozen_string_literal: true

# RFC 9110 section 10.1.1: "Expect: 100-continue" is answered when the head is in order and before the application runs.
RSpec.describe 'Expect: 100-continue' do
  before(:context) do
    @server = boot(<<~'RUBY', '-t', '2', '-max-body', '1')
      run(lambda do |env|
        sleep 0.3 if env['PATH_INFO'] == '/slow'
        [200, { 'content-type' => 'text/plain' }, [env['rack.input'].read.to_s, env['HTTP_EXPECT'].to_s]]
      end)
    RUBY
  end

  let(:client) { dial }

  def head(lines, path: '/', version: '1.1')
    "POST #{path} HTTP/#{version}\r\nHost: spec\r\n#{lines}\r\n"
  end

  def interim
    client.receive(head_only: true).status
  end

  it 'sends 100, waits for the body, then answers' do
    client.write(head("Content-Length: 5\r\nExpect: 100-continue\r\n"))
    expect(interim).to eq(100)
    client.write('hello')
    expect(client.receive.body).to start_with('hello')
  end

  it 'does so for a chunked body, and in any case of the word' do
    client.write(head("Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n"))
    expect(interim).to eq(100)
    client.write("5\r\nhello\r\n0\r\n\r\n")
    expect(client.receive.body).to start_with('hello')
  end

  it 'sends 100 again for the next request of the connection' do
    2.times do
      client.write(head("Content-Length: 2\r\nExpect: 100-continue\r\n"))
      expect(interim).to eq(100)
      client.write('hi')
      expect(client.receive.body).to start_with('hi')
    end
  end

  it 'keeps the 100 behind the answer to an earlier request' do
    client.write("GET /slow HTTP/1.1\r\nHost: spec\r\n\r\n#{head("Content-Length: 2\r\nExpect: 100-continue\r\n")}")
    expect(client.receive.status).to eq(200)
    expect(interim).to eq(100)
    client.write('hi')
    expect(client.receive.body).to start_with('hi')
  end

  it 'answers once when the body came with the head' do
    client.write("#{head("Content-Length: 5\r\nExpect: 100-continue\r\n")}hello")
    first = client.receive(head_only: true)
    last = first.status == 100 ? client.receive : nil
    expect([first, last].compact.last.status).to eq(200)
  end

  it 'sends no 100 without a body to come' do
    [head("Expect: 100-continue\r\n"), head("Content-Length: 0\r\nExpect: 100-continue\r\n")].each do |request|
      expect(client.ask(request).status).to eq(200)
    end
  end

  it 'sends no 100 to HTTP/1.0' do
    client.write(head("Content-Length: 5\r\nExpect: 100-continue\r\n", version: '1.0'))
    sleep 0.1
    client.write('hello')
    expect(client.receive.status).to eq(200)
  end

  {
    'too large a body' => ["Content-Length: 2000000\r\nExpect: 100-continue\r\n", 413],
    'two framings' => ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n", 400],
    'an unknown coding' => ["Transfer-Encoding: gzip\r\nExpect: 100-continue\r\n", 501],
    'a malformed header' => ["Content-Length: 5\r\nExpect: 100-continue\r\nbad name: x\r\n", 400]
  }.each do |what, (lines, status)|
    it "sends the final status alone for #{what}" do
      expect(client.ask(head(lines)).status).to eq(status)
      expect(client.rest).to eq('')
    end
  end
end
