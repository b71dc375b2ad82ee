# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'response headers' do
  extend RackApp

  rack_app <<~'RUBY', lint: false
    each = Class.new do
      def each
        yield 'x-pair', '1'
        yield ['x-array', '2']
      end
    end
    headers = {
      '/plain' => { 'x-one' => '1', 'X-Two' => 'two words', 'x-utf8' => 'ä', 'x-tab' => "a\tb", 'x-empty' => '' },
      '/array' => { 'set-cookie' => ['a=1; path=/', 'b=2'], 'x-none' => [] },
      '/lines' => { 'set-cookie' => "a=1\nb=2\n", 'x-nothing' => nil },
      '/odd' => { 'x-integer' => 5, symbol: :value, 'x-in-array' => [1, nil, 'c'] },
      '/date' => { 'Date' => 'Sun, 06 Nov 1994 08:49:37 GMT', 'server' => 'me' },
      '/hop' => { 'Connection' => 'keep-alive, X-Thing', 'keep-alive' => 'timeout=5', 'x-thing' => '1' },
      '/close' => { 'connection' => 'x, Close' },
      '/rack' => { 'rack.unknown' => 'secret', 'x-one' => '1' },
      '/each' => each.new,
      '/many' => (0...500).to_h { |n| ["x-#{n}", 'v' * 100] },
      '/cr' => { 'x-a' => "1\r\nset-cookie: evil=1" },
      '/lone-cr' => { 'x-a' => "1\rset-cookie: evil=1" },
      '/lf' => { 'x-a' => "1\nset-cookie: evil=1" },
      '/nul' => { 'x-a' => "1\0" },
      '/in-array' => { 'x-a' => ['fine', "1\r\nevil: 1"] },
      '/name' => { "x-a: 1\r\nevil" => '1' },
      '/space' => { 'x a' => '1' },
      '/no-name' => { '' => '1' },
      '/coding' => { 'transfer-encoding' => 'gzip' },
      '/raising' => { 'x-a' => Class.new { def to_s = raise('from to_s') }.new }
    }
    subclass = Class.new(Hash)
    headers['/subclass'] = subclass[headers['/plain']]
    ->(env) { [200, headers.fetch(env['PATH_INFO'], {}), ['body']] }
  RUBY

  it 'go out as they are' do
    answer = get('/plain')
    expect(answer.lines.first(5)).to eq([%w[x-one 1], ['X-Two', 'two words'], ['x-utf8', 'ä'.b], ['x-tab', "a\tb"],
                                         ['x-empty', '']])
    expect(get('/subclass').lines.first(5)).to eq(answer.lines.first(5))
  end

  it 'go out on several lines for an Array, and for line feeds' do
    expect(get('/array').all('set-cookie')).to eq(['a=1; path=/', 'b=2'])
    expect(get('/lines').all('set-cookie')).to eq(%w[a=1 b=2])
    expect(get('/array').head).not_to include('x-none')
    expect(get('/lines').head).not_to include('x-nothing')
  end

  it 'become Strings' do
    answer = get('/odd')
    expect([answer['x-integer'], answer['symbol'], answer.all('x-in-array')]).to eq(['5', 'value', %w[1 c]])
  end

  it 'keep a date of the application' do
    expect(get('/date').all('date')).to eq(['Sun, 06 Nov 1994 08:49:37 GMT'])
    expect(get('/date').all('server')).to eq(['me'])
    expect(get('/plain').all('date').size).to eq(1)
  end

  it 'leave the connection to the server' do
    client = dial
    answer = client.get('/hop')
    expect(answer.head).not_to match(/^(connection|keep-alive):/i)
    expect(answer['x-thing']).to eq('1')
    expect(client.get('/close').all('connection')).to eq(['close'])
    expect(client).to be_closed_by_peer
  end

  it 'close when the client asks' do
    client = dial
    expect(client.get('/plain', 'connection' => 'close').all('connection')).to eq(['close'])
    expect(client).to be_closed_by_peer
  end

  it 'keep what is meant for the server' do
    expect(get('/rack').head).not_to include('secret')
  end

  it 'may be anything that yields pairs' do
    answer = get('/each')
    expect([answer['x-pair'], answer['x-array']]).to eq(%w[1 2])
  end

  it 'may be many' do
    expect(get('/many').lines.count { |_, value| value == 'v' * 100 }).to eq(500)
  end

  %w[/cr /lone-cr /nul /in-array /name /space /no-name /coding /raising].each do |path|
    it "can't split the response (#{path})" do
      client = dial
      answer = client.get(path)
      expect(answer.status).to eq(500)
      expect(answer.head).not_to match(/evil/)
      log_with(/ERROR: GET #{path}: .*(header|transfer-encoding|to_s)/)
      expect(client.get('/plain').status).to eq(200)
    end
  end

  it "can't smuggle a header with a line feed" do
    answer = get('/lf')
    expect(answer.all('set-cookie')).to be_empty
    expect(answer.all('x-a')).to eq(['1', 'set-cookie: evil=1'])
  end
end
