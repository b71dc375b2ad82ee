# frozen_string_literal: true

# RFC 9112 section 9: when a connection goes on and when it ends.
RSpec.describe 'HTTP connections' do
  before(:context) do
    @server = boot(<<~'RUBY')
      run(lambda do |env|
        headers = { 'content-type' => 'text/plain' }
        headers['connection'] = 'close' if env['PATH_INFO'] == '/close'
        if env['PATH_INFO'] == '/stream'
          [200, headers, Enumerator.new { |out| 3.times { out << 'part ' } }]
        else
          [200, headers.merge('content-length' => '5'), ['hello']]
        end
      end)
    RUBY
  end

  let(:client) { dial }

  def get(path = '/', version: '1.1', lines: '')
    "GET #{path} HTTP/#{version}\r\nHost: spec\r\n#{lines}\r\n"
  end

  it 'keeps an HTTP/1.1 connection for the next request' do
    3.times { expect(client.ask(get).body).to eq('hello') }
  end

  it 'closes after "Connection: close", and says so' do
    answer = client.ask(get(lines: "Connection: close\r\n"))
    expect(answer.headers['connection']).to eq('close')
    expect(client.rest).to eq('')
  end

  it 'finds "close" in a list, in any case' do
    client.ask(get(lines: "Connection: x-other , CLOSE\r\n"))
    expect(client.rest).to eq('')
  end

  it 'closes after an HTTP/1.0 request' do
    answer = client.ask(get(version: '1.0'))
    expect(answer.body).to eq('hello')
    expect(client.rest).to eq('')
  end

  it 'keeps an HTTP/1.0 connection that asks for it, and says so' do
    answer = client.ask(get(version: '1.0', lines: "Connection: keep-alive\r\n"))
    expect(answer.headers['connection'].to_s.downcase).to eq('keep-alive')
    expect(client.ask(get).body).to eq('hello')
  end

  it 'answers an HTTP/1.0 request without a Host' do
    expect(client.ask("GET / HTTP/1.0\r\n\r\n").status).to eq(200)
  end

  it 'streams to HTTP/1.0 without chunks and ends by closing' do
    client.write(get('/stream', version: '1.0', lines: "Connection: keep-alive\r\n"))
    head, body = client.rest.split("\r\n\r\n", 2)
    expect(head.downcase).not_to include('transfer-encoding', 'keep-alive')
    expect(body).to eq('part part part ')
  end

  it 'streams to HTTP/1.1 in chunks and goes on' do
    answer = client.ask(get('/stream'))
    expect(answer.headers['transfer-encoding']).to eq('chunked')
    expect(answer.body).to eq('part part part ')
    expect(client.ask(get).body).to eq('hello')
  end

  it 'closes when the application says so' do
    expect(client.ask(get('/close')).headers['connection']).to eq('close')
    expect(client.rest).to eq('')
  end

  it 'does not run what was pipelined behind "Connection: close"' do
    client.write(get(lines: "Connection: close\r\n") + get('/stream'))
    expect(client.receive.body).to eq('hello')
    expect(client.rest).to eq('')
  end

  it 'passes over an empty line before a request' do
    client.ask(get)
    expect(client.ask("\r\n#{get}").body).to eq('hello')
  end
end
