# frozen_string_literal: true

# One line for each request, as api.md has it.
RSpec.describe 'The access log' do
  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '2', '-v')
      run ->(env) { [env['PATH_INFO'] == '/missing' ? 404 : 200, { 'content-type' => 'text/plain' }, ['hello']] }
    RUBY
  end

  line = /
    ^127\.0\.0\.1\ -\ -\ \[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\ \d\d\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\ GMT\]
    \ "([^"]*)"\ (\d{3})\ (\d+)b\ (\d+\.\d)ms$
  /x

  define_method(:lines) { @server.stderr.scan(line) }

  def wait_for_line(text)
    eventually { lines.find { |found| found.first.include?(text) } }
  end

  it 'has the path without its query, the status, the bytes and the time' do
    dial.get('/path?secret=1')
    expect(wait_for_line('/path')[0, 3]).to eq(['GET /path HTTP/1.1', '200', '5'])
    dial.get('/missing')
    expect(wait_for_line('/missing')[0, 3]).to eq(['GET /missing HTTP/1.1', '404', '5'])
    expect(@server.stderr).not_to include('secret')
  end

  it 'names method and version, and no bytes for HEAD' do
    dial.ask("HEAD /head HTTP/1.0\r\n\r\n", head_only: true)
    expect(wait_for_line('/head')[0, 3]).to eq(['HEAD /head HTTP/1.0', '200', '0'])
  end

  it 'has the answers that the server gives itself' do
    dial.ask("OPTIONS * HTTP/1.1\r\nHost: spec\r\n\r\n")
    expect(wait_for_line('OPTIONS *')[0, 3]).to eq(['OPTIONS * HTTP/1.1', '204', '0'])
  end

  it 'escapes what could forge a line' do
    dial.ask("GET /f\x80\xFF\"\\ HTTP/1.1\r\nHost: spec\r\n\r\n".b)
    expect(wait_for_line('/f').first).to eq('GET /f\x80\xff\x22\x5c HTTP/1.1')
  end

  it 'has a line for each of many requests, in their order' do
    client = dial
    client.write(Array.new(500) { |n| "GET /n#{n} HTTP/1.1\r\nHost: spec\r\n\r\n" }.join)
    500.times { client.receive }
    wait_for_line('/n499')
    expect(lines.map(&:first).grep(%r{/n\d}).map { |text| text[/\d+/].to_i }).to eq((0...500).to_a)
  end

  it 'is complete after a stop' do
    dial.get('/last-one')
    @server.kill
    @server.wait
    expect(lines.map(&:first)).to include('GET /last-one HTTP/1.1')
  end

  it 'is not written without -v' do
    server = boot("run ->(_) { [200, { 'content-type' => 'text/plain' }, ['hello']] }", '-w', '1')
    server.get('/quiet')
    server.kill
    server.wait
    expect(server.stderr + server.stdout).not_to include('/quiet')
  end
end
