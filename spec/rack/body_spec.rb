# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'a response body' do
  extend RackApp

  rack_app <<~'RUBY'
    require 'tempfile'
    file = Tempfile.new('iodine-body')
    file.write((0...300_000).map { |n| (n % 251).chr }.join)
    file.flush
    empty = Tempfile.new('iodine-empty')
    path_body = Class.new do
      def initialize(path) = @path = path
      def to_path = @path
      def each = yield(File.binread(@path))
    end
    text = { 'content-type' => 'text/plain' }
    waiting = Queue.new
    ways = {
      '/array' => -> { %w[one two three] },
      '/none' => -> { [] },
      '/empty-strings' => -> { ['', 'a', '', 'b', ''] },
      '/long' => -> { ['x' * 10_000, 'y' * 10_000] },
      '/longer' => -> { ['h', 'x' * 1_000_000, 'small', 'y' * 40_000, 'z' * 20_000, ''] },
      '/many' => -> { Array.new(50_000) { |n| "line #{n}\n" } },
      '/frozen' => -> { ['f'.freeze * 100_000].each(&:freeze).freeze },
      '/each' => -> { Enumerator.new { |out| 5.times { |n| out << "part #{n}\n" } } },
      '/each-empty' => -> { Enumerator.new { |out| out << '' << 'a' << '' << 'b' } },
      '/each-none' => -> { [].each },
      '/each-big' => -> { Enumerator.new { |out| 20.times { |n| out << n.chr * 100_000 } } },
      '/each-slow' => -> { Enumerator.new { |out| out << 'first'; waiting.pop; out << 'second' } },
      '/go' => -> { waiting << 1; ['went'] },
      '/file' => -> { path_body.new(file.path) },
      '/file-empty' => -> { path_body.new(empty.path) },
      '/io' => -> { File.open(file.path, 'rb') },
      '/body-proxy' => -> { Rack::BodyProxy.new(%w[a b]) {} }
    }
    lambda do |env|
      length = env['HTTP_X_LENGTH'] ? { 'content-length' => env['HTTP_X_LENGTH'] } : {}
      body = ways.fetch(env['PATH_INFO'], -> { [env['PATH_INFO']] }).call
      body = [] if env['HTTP_X_HEAD_MIDDLEWARE']
      [200, text.merge(length), body]
    end
  RUBY

  let(:file) { Array.new(300_000) { |n| (n % 251).chr }.join.b }

  it 'may be an Array' do
    answer = get('/array')
    expect(answer.body).to eq('onetwothree')
    expect(answer.all('content-length')).to eq(['11'])
    expect(answer['transfer-encoding']).to be_nil
    expect(answer['date']).to match(/\A\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\z/)
    expect(get('/none')['content-length']).to eq('0')
    expect(get('/empty-strings').body).to eq('ab')
  end

  it 'may be a long Array' do
    client = dial
    expect(client.get('/long').body).to eq(('x' * 10_000) + ('y' * 10_000))
    expect(client.get('/longer').body).to eq("h#{'x' * 1_000_000}small#{'y' * 40_000}#{'z' * 20_000}")
    expect(client.get('/many').body).to eq(Array.new(50_000) { |n| "line #{n}\n" }.join)
    expect(client.get('/frozen').body).to eq('f' * 100_000)
    expect(client.get('/array').body).to eq('onetwothree')
  end

  it 'may respond to each: a chunk for each part' do
    answer = get('/each')
    expect(answer['transfer-encoding']).to eq('chunked')
    expect(answer['content-length']).to be_nil
    expect(answer.chunks).to eq(Array.new(5) { |n| "part #{n}\n" })
    expect(get('/each-empty').chunks).to eq(%w[a b])
    expect(get('/each-big').body).to eq(Array.new(20) { |n| n.chr * 100_000 }.join)
  end

  it 'has a length when each yields nothing' do
    expect(get('/each-none')['content-length']).to eq('0')
  end

  it 'is flushed as it yields' do
    slow = dial
    slow.write("GET /each-slow HTTP/1.1\r\nHost: x\r\n\r\n")
    got = +''
    eventually { (got << slow.read_some).include?("5\r\nfirst\r\n") }
    expect(get('/go').body).to eq('went')
    eventually { (got << slow.read_some).end_with?("6\r\nsecond\r\n0\r\n\r\n") }
  end

  it 'keeps the length that the application gives for each' do
    answer = get('/each', 'x-length' => '35')
    expect(answer.all('content-length')).to eq(['35'])
    expect(answer.chunks).to be_empty
    expect(answer.body).to eq(Array.new(5) { |n| "part #{n}\n" }.join)
  end

  it 'ends with the connection on HTTP/1.0' do
    client = dial
    client.write("GET /each HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
    answer = client.rest
    expect(answer).to include("connection: close\r\n").and end_with("\r\n\r\n#{Array.new(5) do |n|
      "part #{n}\n"
    end.join}")
    expect(answer).not_to include('transfer-encoding')
  end

  it 'keeps an HTTP/1.0 connection that asks for it when the length is known' do
    client = dial
    2.times do
      answer = client.ask("GET /array HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
      expect(answer['connection']).to eq('keep-alive')
      expect(answer.body).to eq('onetwothree')
    end
    expect(client.ask("GET /array HTTP/1.0\r\nHost: x\r\n\r\n")['connection']).to eq('close')
    expect(client).to be_closed_by_peer
  end

  it 'may be a file' do
    client = dial
    answer = client.get('/file')
    expect(answer.all('content-length')).to eq(['300000'])
    expect(answer.body).to eq(file)
    expect(client.get('/io').body).to eq(file)
    expect(client.get('/file-empty')['content-length']).to eq('0')
    expect(client.get('/array').body).to eq('onetwothree')
  end

  it 'may hide behind a proxy' do
    answer = get('/body-proxy')
    expect(answer.body).to eq('ab')
  end

  %w[/array /each /file /long /none].each do |path|
    it "is left out for HEAD #{path}" do
      client = dial
      3.times { expect(client.request('HEAD', path, { 'x-head-middleware' => '1' }).status).to eq(200) }
      expect(client.get('/array').body).to eq('onetwothree')
    end
  end

  it 'tells HEAD the length' do
    length = ->(path, headers = {}) { dial.request('HEAD', path, headers)['content-length'] }
    expect(length.call('/array')).to eq('11')
    expect(length.call('/file')).to eq('300000')
    expect(length.call('/array', 'x-head-middleware' => '1', 'x-length' => '11')).to eq('11')
    expect(length.call('/array', 'x-head-middleware' => '1')).to be_nil
    expect(length.call('/each')).to be_nil
  end

  it 'comes back in order when requests are pipelined' do
    client = dial
    paths = %w[/array /each /file /long /each-none] * 4
    client.write(paths.map { |path| "GET #{path} HTTP/1.1\r\nHost: x\r\n\r\n" }.join)
    bodies = paths.map { client.receive.body }
    expect(bodies).to eq([bodies[0], bodies[1], file, bodies[3], ''] * 4)
    expect(bodies.first(2)).to eq(['onetwothree', Array.new(5) { |n| "part #{n}\n" }.join])
  end
end

RSpec.describe 'a response body that Lint would not like' do
  extend RackApp

  rack_app <<~'RUBY', lint: false
    missing = Struct.new(:to_path) { def each = yield('instead') }
    text = { 'content-type' => 'text/plain' }
    responses = {
      '/string' => -> { [200, text, 'a String'] },
      '/long-string' => -> { [200, text, 's' * 200_000] },
      '/to_ary' => -> { [200, text, Class.new { def to_ary = %w[to _ary] }.new] },
      '/missing' => -> { [200, text, missing.new('/no/such/file')] },
      '/directory' => -> { [200, text, missing.new('/')] },
      '/fifo' => -> { [200, text, missing.new(FIFO)] },
      '/nowhere' => -> { [200, text, Class.new { def to_path = '/no/such/file' }.new] },
      '/string-status' => -> { ['201', text, ['created']] },
      '/unknown-status' => -> { [799, text, ['odd']] },
      '/204' => -> { [204, { 'content-length' => '3' }, ['no!']] },
      '/304' => -> { [304, { 'content-length' => '3', 'transfer-encoding' => 'chunked' }, ['no!']] },
      '/205' => -> { [205, {}, []] },
      '/103' => -> { [103, { 'content-length' => '3' }, ['no!']] },
      '/chunked' => -> { [200, text.merge('Transfer-Encoding' => 'chunked'), ["3\r\nabc\r\n", "0\r\n\r\n"]] },
      '/chunked-each' => -> { [200, text.merge('transfer-encoding' => 'gzip, chunked'), ["3\r\nabc\r\n", "0\r\n", "\r\n"].each] },
      '/chunked-cut' => -> { [200, text.merge('transfer-encoding' => 'chunked'), ["3\r\nabc\r\n"].each] },
      '/identity' => -> { [200, text.merge('transfer-encoding' => 'identity'), ['plain']] },
      '/too-long' => -> { [200, text.merge('content-length' => '3'), ['abcdef']] },
      '/too-short' => -> { [200, text.merge('content-length' => '30'), ['abcdef']] },
      '/no-number' => -> { [200, text.merge('content-length' => 'many'), ['abcdef']] },
      '/integer' => -> { [200, text.merge('content-length' => 6), ['abcdef']] },
      '/each-too-long' => -> { [200, text.merge('content-length' => '4'), %w[abc def ghi].each] },
      '/each-zero' => -> { [200, text.merge('content-length' => '0'), %w[abc].each] },
      '/each-too-short' => -> { [200, text.merge('content-length' => '30'), %w[abc def].each] },
      '/each-empty' => -> { [200, text.merge('content-length' => '30'), [].each] },
      '/each-no-number' => -> { [200, text.merge('content-length' => '-1'), %w[abc def].each] },
      '/file-length' => -> { [200, text.merge('content-length' => '1'), File.open('/proc/self/exe', 'rb')] },
      '/mutated' => -> { string = +'m' * 500_000; Thread.new { sleep 0.05; string.replace('n' * 500_000) }; [200, text, [string]] },
      '/kept-block' => -> { [200, text, KEPT] },
      '/call-kept' => -> { [200, text, [begin; KEPT.block.call('late'); rescue IOError => e; e.message; end]] },
      '/thread-each' => -> { [200, text, Enumerator.new { |out| out << 'here' }.lazy.map { |s| Thread.new { s.upcase }.value }] }
    }
    FIFO = "/tmp/iodine-fifo-#{$$}"
    system('mkfifo', FIFO)
    at_exit { File.unlink(FIFO) }
    KEPT = Class.new { attr_reader :block; def each(&block) = @block = block }.new
    ->(env) { responses.fetch(env['PATH_INFO']).call }
  RUBY

  it 'may be a String, or become an Array' do
    expect(get('/string').body).to eq('a String')
    expect(get('/long-string').body).to eq('s' * 200_000)
    expect(get('/to_ary').body).to eq('to_ary')
  end

  it 'falls back on each when the file is no file' do
    %w[/missing /directory /fifo].each { |path| expect(get(path).body).to eq('instead') }
    expect(get('/nowhere').status).to eq(500)
    expect(log_with(%r{GET /nowhere: })).to include('must respond to each or call')
  end

  it 'may have any status' do
    expect(get('/string-status').status).to eq(201)
    answer = get('/unknown-status')
    expect([answer.status, answer.reason]).to eq([799, ''])
  end

  it 'is never sent with 204 and 304, nor is its length' do
    client = dial
    %w[/204 /304].each do |path|
      head = client.get(path).head
      expect(head).not_to match(/content-length|transfer-encoding/i)
    end
    expect(client.get('/string').body).to eq('a String')
    expect(get('/205')['content-length']).to eq('0')
  end

  it 'ends the connection after an interim status that the application calls final' do
    client = dial
    expect(client.get('/103').head).not_to match(/content-length/i)
    expect(client).to be_closed_by_peer
  end

  it 'passes on what the application has chunked itself' do
    client = dial
    answer = client.get('/chunked')
    expect([answer.body, answer.all('transfer-encoding'), answer['content-length']]).to eq(['abc', ['chunked'], nil])
    client.write("GET /chunked-each HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(client.rest).to include("transfer-encoding: gzip, chunked\r\n").and end_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
  end

  it 'closes the connection when the chunks have no end' do
    client = dial
    expect { client.get('/chunked-cut') }.to raise_error(Support::RawClient::Closed)
    log_with(/no last chunk/)
  end

  it 'never sends chunks to HTTP/1.0' do
    expect(dial.ask("GET /chunked HTTP/1.0\r\n\r\n").status).to eq(500)
    expect(get('/identity').body).to eq('plain')
  end

  it 'is not sent where the application says that there is none' do
    client = dial
    expect(client.get('/each-zero').head.scan(/^(?:content-length|date)/)).to contain_exactly('content-length', 'date')
    expect(client.get('/string').body).to eq('a String')
    log_with(%r{GET /each-zero: the body is longer than its content-length})
  end

  it 'corrects the length of an Array' do
    client = dial
    %w[/too-long /too-short /no-number /integer].each do |path|
      answer = client.get(path)
      expect([answer.all('content-length'), answer.body]).to eq([['6'], 'abcdef'])
    end
    expect(log.scan('it was corrected').size).to eq(2)
    expect(log).to include('GET /no-number: the content-length is not a number; it was left out')
  end

  it 'stops at the length when each yields more' do
    client = dial
    2.times { expect(client.get('/each-too-long').body).to eq('abcd') }
    log_with(%r{GET /each-too-long: the body is longer than its content-length})
  end

  it 'closes the connection when each yields less' do
    expect { get('/each-too-short') }.to raise_error(Support::RawClient::Closed, /abcdef/)
    log_with(%r{GET /each-too-short: the body is shorter than its content-length})
  end

  it 'corrects what it can when each yields nothing, or the length is none' do
    expect(get('/each-empty')['content-length']).to eq('0')
    log_with(%r{GET /each-empty: the body is empty})
    expect(get('/each-no-number').chunks).to eq(%w[abc def])
  end

  it 'has the length of the file' do
    answer = get('/file-length')
    expect(answer.body.bytesize).to eq(answer['content-length'].to_i)
    expect(answer.body.bytesize).to be > 1
  end

  it 'is what it was when it was returned' do
    client = dial
    client.write("GET /mutated HTTP/1.1\r\nHost: x\r\n\r\n")
    sleep 0.2
    expect(client.receive.body).to eq('m' * 500_000)
  end

  it 'tells a block that outlives the response' do
    expect(get('/kept-block')['content-length']).to eq('0')
    expect(get('/call-kept').body).to match(/the request is over/)
  end

  it 'may use other threads' do
    expect(get('/thread-each').body).to eq('HERE')
  end
end
