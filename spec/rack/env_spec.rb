# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'env' do
  extend RackApp

  rack_app <<~RUBY
    lambda do |env|
      strings = env.reject { |key, _| key.include?('.') }
      told = strings.transform_values { |value| [value.dup.force_encoding('UTF-8').scrub('?'), value.encoding.to_s] }
      case env['PATH_INFO']
      when '/keys' then told = env.keys
      when '/rack' then told = env.reject { |key, _| !key.start_with?('rack.') }.transform_values(&:inspect)
      when '/mutable' then env['PATH_INFO'] << 'x'; env['QUERY_STRING'] = 'new'; env['HTTP_ACCEPT'] << 'y'
      when '/identity' then told = env.keys.map { |key| key.frozen? && key.encoding.to_s }.uniq
      when '/shared' then told = env['rack.after_reply'].push(-> {}).size + env['rack.response_finished'].push(->(*) {}).size
      end
      [200, { 'content-type' => 'application/json' }, [JSON.generate(told)]]
    end
  RUBY

  def env_of(request)
    raw = dial.ask(request).body
    JSON.parse(raw).transform_values(&:first)
  end

  it 'has the request line as it was sent' do
    env = env_of("PATCH /a%2Fb/../c//d;e?x=1&y=%20? HTTP/1.1\r\nHost: example.com:81\r\n\r\n")
    expect(env).to include('REQUEST_METHOD' => 'PATCH', 'PATH_INFO' => '/a%2Fb/../c//d;e',
                           'QUERY_STRING' => 'x=1&y=%20?',
                           'SCRIPT_NAME' => '', 'SERVER_PROTOCOL' => 'HTTP/1.1')
  end

  it 'has methods that nobody knows, and an empty query' do
    expect(env_of("BREW /pot? HTTP/1.1\r\nHost: x\r\n\r\n")).to include('REQUEST_METHOD' => 'BREW',
                                                                        'QUERY_STRING' => '')
  end

  it 'has the host and its port' do
    expect(env_of("GET / HTTP/1.1\r\nHost: example.com:81\r\n\r\n"))
      .to include('HTTP_HOST' => 'example.com:81', 'SERVER_NAME' => 'example.com', 'SERVER_PORT' => '81')
    expect(env_of("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"))
      .to include('HTTP_HOST' => 'example.org', 'SERVER_NAME' => 'example.org', 'SERVER_PORT' => '80')
    expect(env_of("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"))
      .to include('HTTP_HOST' => '[::1]:8080', 'SERVER_NAME' => '[::1]', 'SERVER_PORT' => '8080')
    expect(env_of("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n")).to include('SERVER_NAME' => '[::1]', 'SERVER_PORT' => '80')
  end

  it 'falls back on the address of the listener without a Host' do
    env = env_of("GET / HTTP/1.0\r\n\r\n")
    expect(env).to include('SERVER_NAME' => '127.0.0.1', 'SERVER_PORT' => server.port.to_s,
                           'SERVER_PROTOCOL' => 'HTTP/1.0')
    expect(env).not_to have_key('HTTP_HOST')
  end

  it 'takes the host of an absolute target' do
    env = env_of("GET http://other:99/p?q HTTP/1.1\r\nHost: x\r\n\r\n")
    expect(env).to include('HTTP_HOST' => 'other:99', 'SERVER_NAME' => 'other', 'SERVER_PORT' => '99',
                           'PATH_INFO' => '/p', 'QUERY_STRING' => 'q')
  end

  it 'does not mix up the hosts of two clients' do
    one = dial
    two = dial
    3.times do
      expect(JSON.parse(one.get('/', 'host' => 'one.example').body)['SERVER_NAME'].first).to eq('one.example')
      expect(JSON.parse(two.get('/', 'host' => 'two.example:8').body)['HTTP_HOST'].first).to eq('two.example:8')
    end
  end

  it 'has headers, common and unknown ones, in any case' do
    env = env_of("GET / HTTP/1.1\r\nhOsT: x\r\nuSER-agent: me\r\nX-Unheard-Of: 1\r\n" \
                 "#{'X-Long-' * 30}Name: 2\r\nx!#$%&'*+^`|~9: 3\r\n\r\n")
    expect(env).to include('HTTP_USER_AGENT' => 'me', 'HTTP_X_UNHEARD_OF' => '1', "HTTP_#{'X_LONG_' * 30}NAME" => '2',
                           "HTTP_X!#$%&'*+^`|~9" => '3')
  end

  it 'joins what is sent several times' do
    env = env_of("GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nX-New: 1\r\nCookie: a=1\r\n" \
                 "Accept: b\r\nCookie: b=2\r\nx-new: 2\r\nX-NEW: 3\r\n\r\n")
    expect(env).to include('HTTP_ACCEPT' => 'a, b', 'HTTP_COOKIE' => 'a=1; b=2', 'HTTP_X_NEW' => '1, 2, 3')
  end

  it 'never shows a name with an underscore' do
    env = env_of("GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real: 1\r\nContent_Length: 5\r\n\r\n")
    expect(env).to include('HTTP_X_REAL' => '1')
    expect(env.keys.grep(/FORWARDED|LENGTH/)).to be_empty
  end

  it 'has type and length of a body without HTTP_' do
    env = env_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc")
    expect(env).to include('CONTENT_TYPE' => 'text/plain', 'CONTENT_LENGTH' => '3')
    expect(env.keys.grep(/HTTP_CONTENT/)).to be_empty
  end

  it 'has the decoded length of a chunked body, and no coding' do
    env = env_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    expect(env).to include('CONTENT_LENGTH' => '5')
    expect(env).not_to have_key('HTTP_TRANSFER_ENCODING')
  end

  it 'has bytes: every CGI variable is ASCII-8BIT' do
    encodings = JSON.parse(dial.ask("POST /\xff HTTP/1.1\r\nHost: x\r\nX-A: \xe4\r\nContent-Length: 1\r\n\r\na".b).body)
    expect(encodings.values.map(&:last).uniq).to eq(['ASCII-8BIT'])
    expect(encodings['PATH_INFO'].first).to eq('/?')
  end

  it 'has every key that Rack asks for, and no logger' do
    rack = json('/rack')
    expect(rack.keys).to include('rack.version', 'rack.url_scheme', 'rack.input', 'rack.errors', 'rack.multithread',
                                 'rack.multiprocess',
                                 'rack.run_once', 'rack.hijack?', 'rack.hijack', 'rack.early_hints', 'rack.upgrade?',
                                 'rack.response_finished', 'rack.after_reply')
    expect(rack.keys).not_to include('rack.logger', 'rack.protocol')
    expect(rack).to include('rack.url_scheme' => '"http"', 'rack.multithread' => 'true', 'rack.multiprocess' => 'false',
                            'rack.run_once' => 'false', 'rack.hijack?' => 'true', 'rack.upgrade?' => 'nil',
                            'rack.after_reply' => '[]')
    expect(json('/')['REMOTE_ADDR'].first).to eq('127.0.0.1')
  end

  it 'offers the protocols of an Upgrade' do
    rack = json('/rack', 'connection' => 'upgrade', 'upgrade' => 'chat, other/2')
    expect(rack['rack.protocol']).to eq('["chat", "other/2"]')
  end

  it 'has keys that are the literals of the application' do
    expect(json('/identity', 'x-one' => '1', 'accept' => 'b')).to eq(['UTF-8'])
  end

  it 'is the own Hash of each request' do
    2.times do
      expect(json('/mutable?x', 'accept' => 'a')).to include('PATH_INFO' => ['/mutable', 'ASCII-8BIT'])
      expect(json('/shared')).to eq(2)
    end
    expect(json('/')).to include('PATH_INFO' => ['/', 'ASCII-8BIT'], 'QUERY_STRING' => ['', 'ASCII-8BIT'])
  end

  it 'holds as many headers as the limit allows' do
    lines = Array.new(120) { |n| "X-Header-#{n}: #{n}\r\n" }.join
    env = env_of("GET / HTTP/1.1\r\nHost: x\r\n#{lines}\r\n")
    120.times { |n| expect(env["HTTP_X_HEADER_#{n}"]).to eq(n.to_s) }
  end
end

RSpec.describe 'env with SCRIPT_NAME' do
  extend RackApp

  rack_app '->(env) { [200, {}, [env["SCRIPT_NAME"], " ", env["PATH_INFO"], " ", env["rack.multithread"].to_s]] }',
           env: { 'SCRIPT_NAME' => '/mounted/' }, threads: 1

  it 'names where a proxy has mounted the application' do
    expect(get('/here').body).to eq('/mounted /here false')
  end
end
