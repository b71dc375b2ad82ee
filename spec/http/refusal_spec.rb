# frozen_string_literal: true

# What is refused, with which status, and that the connection is closed after it. RFC 9112 sections 2 to 7.
RSpec.describe 'Refused requests' do
  before(:context) { @server = boot(Apps::WITNESS, '-w', '1') }

  let(:client) { dial }

  def self.with(lines)
    "GET / HTTP/1.1\r\nHost: spec\r\n#{lines}\r\n"
  end

  def self.post(lines, body = '')
    "POST / HTTP/1.1\r\nHost: spec\r\n#{lines}\r\n#{body}"
  end

  def self.chunks(body)
    post("Transfer-Encoding: chunked\r\n", body)
  end

  { # what => [bytes, statuses]
    'a version of 2.0' => ["GET / HTTP/2.0\r\nHost: spec\r\n\r\n", 505],
    'a version of 0.9' => ["GET / HTTP/0.9\r\nHost: spec\r\n\r\n", 505],
    'a request line without a version' => ["GET /\r\n\r\n", [400, 505]],
    'a version in lower case' => ["GET / http/1.1\r\nHost: spec\r\n\r\n", [400, 505]],
    'a version of two digits' => ["GET / HTTP/1.10\r\nHost: spec\r\n\r\n", [400, 505]],
    'an empty method' => [" / HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a bad method' => ["G@T / HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'two spaces in a request line' => ["GET  / HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a tab in a request line' => ["GET\t/ HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a space behind the version' => ["GET / HTTP/1.1 \r\nHost: spec\r\n\r\n", [400, 505]],
    'a control byte in a target' => ["GET /a\x01 HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'NUL in a target' => ["GET /a\0 HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a fragment in a target' => ["GET /a#b HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a relative target' => ["GET a HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'a star with GET' => ["GET * HTTP/1.1\r\nHost: spec\r\n\r\n", 400],
    'another scheme' => ["GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
    'user info in a target' => ["GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
    'a bad port in a target' => ["GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n", 400],
    'CONNECT' => ["CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 501],
    'bytes of TLS' => ["\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n".b, 400],
    'no Host' => ["GET / HTTP/1.1\r\nX-A: 1\r\n\r\n", 400],
    'two Hosts' => [with("Host: spec\r\n"), 400],
    'a Host with a space' => ["GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    'a Host with a slash' => ["GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
    'a Host with user info' => ["GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400],
    'a Host with a bad port' => ["GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400],
    'a Host with a port too high' => ["GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400],
    'a Host with an open bracket' => ["GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400],
    'a malformed Host on 1.0' => ["GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400],
    'a bare LF' => ["GET / HTTP/1.1\nHost: spec\n\n", 400],
    'a bare LF in the middle' => [with("X-A: 1\nX-B: 2\r\n"), 400],
    'a bare CR' => [with("X-A: 1\rX-B: 2\r\n"), 400],
    'obs-fold' => [with("X-A: 1\r\n 2\r\n"), 400],
    'obs-fold by a tab' => [with("X-A: 1\r\n\t2\r\n"), 400],
    'white space before the first header' => ["GET / HTTP/1.1\r\n Host: spec\r\n\r\n", 400],
    'a space before the colon' => [with("X-A : 1\r\n"), 400],
    'no colon' => [with("X-A\r\n"), 400],
    'an empty name' => [with(": 1\r\n"), 400],
    'a bad name' => [with("X(A): 1\r\n"), 400],
    'a name over 127' => [with("X-\xC3\xA4: 1\r\n"), 400],
    'NUL in a value' => [with("X-A: a\0b\r\n"), 400],
    'a control byte in a value' => [with("X-A: a\x0Bb\r\n"), 400],
    'DEL in a value' => [with("X-A: a\x7Fb\r\n"), 400],
    'length and coding' => [post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400],
    'coding and length' => [post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"), 400],
    'two lengths' => [post("Content-Length: 5\r\nContent-Length: 6\r\n", 'hello'), 400],
    'a list of two lengths' => [post("Content-Length: 5, 6\r\n", 'hello'), 400],
    'a length with a sign' => [post("Content-Length: +5\r\n", 'hello'), 400],
    'a negative length' => [post("Content-Length: -1\r\n"), 400],
    'a hexadecimal length' => [post("Content-Length: 0x5\r\n", 'hello'), 400],
    'a length with a space inside' => [post("Content-Length: 5 5\r\n", 'hello'), 400],
    'an empty length' => [post("Content-Length:\r\n"), 400],
    'a length with a fraction' => [post("Content-Length: 5.0\r\n", 'hello'), 400],
    'a length of 2^64' => [post("Content-Length: 18446744073709551616\r\n"), 413],
    'a length of 2^64 + 5' => [post("Content-Length: 18446744073709551621\r\n", 'hello'), 413],
    'a coding on HTTP/1.0' => ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
    'an unknown coding' => [post("Transfer-Encoding: gzip\r\n"), 501],
    'a coding before chunked' => [post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501],
    'identity' => [post("Transfer-Encoding: identity\r\n"), 501],
    'a coding that ends as chunked does' => [post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501],
    'a coding that begins as chunked does' => [post("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n"), 501],
    'chunked twice' => [post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400],
    'chunked in two headers' => [post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400],
    'chunked not last' => [post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), [400, 501]],
    'chunked hidden by a vertical tab' => [post("Transfer-Encoding: \x0Bchunked\r\n", "0\r\n\r\n"), 400],
    'an empty coding' => [post("Transfer-Encoding:\r\n"), [400, 501]],
    'chunked in quotes' => [post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), [400, 501]],
    'a chunk size that is no number' => [chunks("g\r\n"), 400],
    'an empty chunk size' => [chunks("\r\n"), 400],
    'a chunk size with a sign' => [chunks("-1\r\n"), 400],
    'a chunk size with a plus' => [chunks("+1\r\na\r\n0\r\n\r\n"), 400],
    'a chunk size with 0x' => [chunks("0x1\r\na\r\n0\r\n\r\n"), 400],
    'a chunk size behind a space' => [chunks(" 1\r\na\r\n0\r\n\r\n"), 400],
    'a chunk size with an underscore' => [chunks("1_0\r\n"), 400],
    'a chunk size that overflows' => [chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), [400, 413]],
    'a chunk size of many zeroes' => [chunks("#{'0' * 400}1\r\na\r\n0\r\n\r\n"), 400],
    'a chunk size line with a bare LF' => [chunks("1\na\r\n0\r\n\r\n"), 400],
    'a chunk size line with a bare CR' => [chunks("1\ra\r\n0\r\n\r\n"), 400],
    'an extension with a bare LF' => [chunks("1;x\na\r\n0\r\n\r\n"), 400],
    'an extension with NUL' => [chunks("1;x=\0\r\na\r\n0\r\n\r\n"), 400],
    'an extension too long' => [chunks("1;#{'x' * 9_000}\r\na\r\n0\r\n\r\n"), 400],
    'a chunk longer than it says' => [chunks("1\r\nab\r\n0\r\n\r\n"), 400],
    'a chunk that ends in a bare LF' => [chunks("1\r\na\n0\r\n\r\n"), 400],
    'a last chunk with a bare LF' => [chunks("0\n\n"), 400],
    'a trailer without a colon' => [chunks("0\r\nbad\r\n\r\n"), 400],
    'a trailer with a space in its name' => [chunks("0\r\nbad name: 1\r\n\r\n"), 400],
    'a folded trailer' => [chunks("0\r\nX: 1\r\n 2\r\n\r\n"), 400],
    'trailers too long' => [chunks("0\r\n#{"X: #{'1' * 1_000}\r\n" * 20}\r\n"), [400, 431]],
    'a request line of 9,000 bytes' => ["GET /#{'a' * 9_000} HTTP/1.1\r\nHost: spec\r\n\r\n", 414],
    'a request line without an end' => ["GET /#{'a' * 9_000}", 414],
    'a header line of 9,000 bytes' => [with("X-A: #{'a' * 9_000}\r\n"), 431],
    'a header line without an end' => ["GET / HTTP/1.1\r\nHost: spec\r\nX-A: #{'a' * 9_000}", 431],
    'a head of 33 KB' => [with("X-A: #{'a' * 1_000}\r\n" * 33), 431],
    '129 headers' => [with(Array.new(128) { |n| "X-#{n}: 1\r\n" }.join), 431]
  }.each do |what, (bytes, statuses)|
    it "refuses #{what}" do
      client.try_write("#{bytes.b}GET /smuggled HTTP/1.1\r\nHost: spec\r\n\r\n")
      answer = client.receive
      expect(Array(statuses)).to include(answer&.status)
      expect(answer.headers['connection']).to eq('close')
      expect(answer.body.bytesize.to_s).to eq(answer.headers['content-length'])
      expect(client.rest).to eq('')
    end
  end

  it 'gave none of them, nor what came behind, to the application' do
    expect(client.ask("GET /seen HTTP/1.1\r\nHost: spec\r\n\r\n").body).to eq('')
  end

  it 'takes a request of just the limits' do
    line = "GET /#{'a' * (8_192 - 14)} HTTP/1.1\r\nHost: spec\r\n"
    headers = Array.new(126) { |n| "X-#{n}: 1\r\n" }.join
    long = "X-Long: #{'a' * (8_192 - 8)}\r\n"
    expect(client.ask("#{line}#{headers}#{long}\r\n").status).to eq(200)
  end

  it 'gives HEAD a refusal without content' do
    client.try_write("HEAD /a#b HTTP/1.1\r\nHost: spec\r\n\r\n")
    expect(client.receive(head_only: true).status).to eq(400)
    expect(client.rest).to eq('').or match(/\A[\w ]+\n\z/) # the method of a malformed request means nothing
  end
end
