# frozen_string_literal: true

# However the network cuts a request, the answer is the one to the request as a whole.
RSpec.describe 'Requests cut into pieces' do
  before(:context) { @server = boot(Apps::MIRROR, '-w', '1') }

  # All that comes until the server closes, without what differs from one second to the next.
  def told(client)
    client.rest.gsub(/^date: [^\r]*/i, '')
  end

  def whole(bytes)
    dial do |client|
      client.try_write(bytes)
      told(client)
    end
  end

  def cut_everywhere(bytes)
    (1...bytes.bytesize).each_slice(64).flat_map do |cuts|
      clients = cuts.map { |cut| dial.tap { |client| client.try_write(bytes.byteslice(0, cut)) } }
      sleep 0.01 # the first parts are read
      clients.zip(cuts).each { |client, cut| client.try_write(bytes.byteslice(cut..)) }
      clients.map { |client| told(client) }.tap { clients.each(&:close) }
    end
  end

  def by_bytes(bytes)
    dial do |client|
      bytes.each_char do |byte|
        client.try_write(byte)
        sleep 0.0005
      end
      told(client)
    end
  end

  last = "GET /last HTTP/1.1\r\nHost: spec\r\nConnection: close\r\n\r\n"

  {
    'a request with headers' => "GET /p?q=1 HTTP/1.1\r\nHost: spec\r\nX-A: one \r\nCookie: a\r\nX-A: two\r\nCookie: b\r\n" \
                                "Connection: close\r\n\r\n",
    'a request with a length' => "POST /p HTTP/1.1\r\nHost: spec\r\nContent-Length: 12\r\n\r\nhello\r\n\r\nall#{last}",
    'a chunked request' => "POST /p HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n" \
                           "00b\r\n to\r\n\r\nyou \r\n0\r\nX-Trailer: t\r\n\r\n#{last}",
    'three requests in a row' => "\r\nGET http://h:1/a HTTP/1.1\r\nHost: o\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: spec\r\n\r\n#{last}",
    'a bad header' => "GET /a HTTP/1.1\r\nHost: spec\r\n\r\nGET /b HTTP/1.1\r\nHost: spec\r\nX-A : 1\r\n\r\n",
    'a bad chunk' => "POST /p HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    'two framings' => "POST /p HTTP/1.1\r\nHost: spec\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    'an unknown version' => "GET / HTTP/3.0\r\nHost: spec\r\n\r\n",
    'an HTTP/1.0 request' => "GET /old HTTP/1.0\r\nX-A: 1\r\n\r\n"
  }.each do |what, bytes|
    bytes = bytes.b

    it "answers the same to #{what} cut at each byte" do
      expected = whole(bytes)
      expect(expected).to start_with('HTTP/1.1 ')
      expect(cut_everywhere(bytes).uniq).to eq([expected])
    end

    it "answers the same to #{what} byte by byte" do
      expect(by_bytes(bytes)).to eq(whole(bytes))
    end
  end
end
