# frozen_string_literal: true

require_relative 'connect_app'

RSpec.describe 'The arguments of Iodine.connect' do
  def results(*calls)
    script = calls.map { |call| "try { Iodine.connect(#{call}) }" }
    boot_client(<<~RUBY)
      HANDLER = Callbacks.new
      def try
        log(yield.equal?(HANDLER) ? 'the handler' : 'another object')
      rescue StandardError => e
        log("\#{e.class}: \#{e.message}")
      end
      #{script.join("\n")}
      exit
    RUBY
    @client.wait
    told
  end

  it 'give back the handler' do
    expect(results("url: 'ws://127.0.0.1:1/', handler: HANDLER", "{ url: 'ws://127.0.0.1:1/', handler: HANDLER }",
                   "url: 'http://127.0.0.1:1/', app: HANDLER", "url: 'ws://127.0.0.1/', handler: HANDLER",
                   "url: 'ws://127.0.0.1:1/', handler: HANDLER, log: true, public: nil, max_body: 1, max_headers: 1"))
      .to all(eq('the handler'))
  end

  it 'are checked when it is called' do
    {
      "url: 'ws://127.0.0.1:1/'" => 'ArgumentError: a callbacks object is needed: give handler:',
      "url: 'ws://127.0.0.1:1/', handler: true" => 'ArgumentError: a callbacks object is needed: give handler:',
      '' => 'ArgumentError: connect needs url:, or address: and port:',
      "'ws://127.0.0.1'" => 'TypeError: connect needs keywords such as url:, not String',
      "url: 'ws://127.0.0.1:1/', handler: HANDLER, uri: 1" => /ArgumentError: connect does not know :uri: use one of :url, /,
      "url: 'nonsense', handler: HANDLER" => 'ArgumentError: "nonsense" is no URL: write it as ws://host:port/path',
      'url: :ws, handler: HANDLER' => 'TypeError: url must be a String, not Symbol',
      "url: 'ftp://127.0.0.1/', handler: HANDLER" => 'ArgumentError: unknown service "ftp": use :ws or :raw',
      'service: 1, port: 1, handler: HANDLER' => 'TypeError: service must be a Symbol, not Integer: use :ws',
      "url: 'tcp://127.0.0.1', handler: HANDLER" => 'ArgumentError: connect needs a port for tcp://127.0.0.1',
      "url: 'tcp://127.0.0.1:0', handler: HANDLER" => /ArgumentError: port "0" is no port/,
      "url: 'tcp://127.0.0.1:x', handler: HANDLER" => /ArgumentError: port "x" is no port/,
      "address: '127.0.0.1', port: 65_536, handler: HANDLER" => /ArgumentError: port 65536 is no port/,
      "address: '127.0.0.1', port: 1.5, handler: HANDLER" => 'TypeError: port must be an Integer or a String, not Float',
      'address: 1, port: 1, handler: HANDLER' => 'TypeError: address must be a String, not Integer',
      "url: 'unix://', handler: HANDLER" => 'ArgumentError: "unix://" has neither a host nor a path',
      "url: 'ws://127.0.0.1/a b', handler: HANDLER" => 'ArgumentError: the path is malformed',
      "url: 'ws://127.0.0.1/', handler: HANDLER, tls: 1" => /TypeError: tls must be an Iodine::TLS, not Integer/,
      "url: 'ws://127.0.0.1/', handler: HANDLER, ping: 256" => 'RangeError: ping is 256: give a number from 0 to 255',
      "url: 'ws://127.0.0.1/', handler: HANDLER, timeout: -1" => 'RangeError: timeout is -1: give a number from 0 to 255',
      "url: 'ws://127.0.0.1/', handler: HANDLER, timeout: '1'" => 'TypeError: timeout must be an Integer, not String',
      "url: 'ws://127.0.0.1/', handler: HANDLER, max_msg: 0" => /RangeError: max_msg is 0/,
      "url: 'ws://127.0.0.1/', handler: HANDLER, headers: []" => 'TypeError: headers must be a Hash, not Array',
      "url: 'ws://127.0.0.1/', handler: HANDLER, cookies: 'a=b'" => 'TypeError: cookies must be a Hash, not String',
      %(url: 'ws://127.0.0.1/', handler: HANDLER, headers: { 'x' => "a\\r\\nb: c" }) =>
        'ArgumentError: a header\'s value has control characters',
      %(url: 'ws://127.0.0.1/', handler: HANDLER, headers: { "x\\n" => 'a' }) => 'ArgumentError: a header\'s name is malformed',
      "url: 'ws://127.0.0.1/', handler: HANDLER, headers: { 'upgrade' => 'h2c' }" =>
        'ArgumentError: a header is set that belongs to the handshake',
      "url: 'ws://127.0.0.1/', handler: HANDLER, cookies: { 'a' => 'b; c' }" =>
        'ArgumentError: a cookie\'s value has control characters or a semicolon',
      %(url: 'ws://127.0.0.1/', handler: HANDLER, method: "GET /\\r\\n") => 'ArgumentError: the method is malformed',
      "url: 'ws://nowhere.invalid/', handler: HANDLER" => /RuntimeError: can't find the host nowhere.invalid: /
    }.then do |cases|
      results(*cases.keys).zip(cases) { |result, (call, expected)| expect(result).to match(expected).or(eq(expected)), call }
    end
  end
end
