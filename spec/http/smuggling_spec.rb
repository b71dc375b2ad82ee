# frozen_string_literal: true

# Requests in which a proxy in front might see another boundary than this server. Where such bytes are not refused, they
# must mean one thing only: the application sees exactly the paths listed.
RSpec.describe 'Request boundaries' do
  before(:context) { @server = boot(Apps::WITNESS, '-w', '1') }

  def seen
    dial { |client| client.ask("GET /seen HTTP/1.1\r\nHost: spec\r\n\r\n").body.split }
  end

  def send_all(bytes)
    dial do |client|
      client.try_write(bytes.b)
      client.shut
      client.rest
    end
  end

  inner = "GET /inner HTTP/1.1\r\nHost: spec\r\n\r\n"

  {
    'a request in a body' => ["POST /outer HTTP/1.1\r\nHost: s\r\nContent-Length: #{inner.bytesize}\r\n\r\n#{inner}", %w[/outer]],
    'a request in a chunk' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n" \
                               "#{inner.bytesize.to_s(16)}\r\n#{inner}\r\n0\r\n\r\n", %w[/outer]],
    'a request in an extension' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n" \
                                    "0;\n#{inner}\r\n", []],
    'a request in a trailer' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n#{inner}", []],
    'a GET with a length' => ["GET /outer HTTP/1.1\r\nHost: s\r\nContent-Length: #{inner.bytesize}\r\n\r\n#{inner}", %w[/outer]],
    'a length of zero' => ["POST /outer HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n#{inner}", %w[/outer /inner]],
    'no length' => ["POST /outer HTTP/1.1\r\nHost: s\r\n\r\n#{inner}", %w[/outer /inner]],
    'a dropped length' => ["POST /outer HTTP/1.1\r\nHost: s\r\nContent_Length: 30\r\n\r\n#{inner}", %w[/outer /inner]],
    'a dropped coding' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer_Encoding: chunked\r\nContent-Length: 0\r\n\r\n#{inner}",
                           %w[/outer /inner]],
    'a coding with a space before its colon' => ["POST /outer HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n" \
                                                 "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n#{inner}", []],
    'a coding behind a bare CR' => ["POST /outer HTTP/1.1\r\nHost: s\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n#{inner}", []],
    'a folded coding' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n#{inner}", []],
    'an Upgrade that no one takes' => ["GET /outer HTTP/1.1\r\nHost: s\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n#{inner}",
                                       %w[/outer /inner]],
    'a connection that names Content-Length' => ["POST /outer HTTP/1.1\r\nHost: s\r\nConnection: content-length\r\n" \
                                                 "Content-Length: #{inner.bytesize}\r\n\r\n#{inner}", %w[/outer]],
    'a second Host by an absolute target' => ["GET http://a/outer HTTP/1.1\r\nHost: b\r\n\r\n#{inner}", %w[/outer /inner]],
    'a body cut short' => ["POST /outer HTTP/1.1\r\nHost: s\r\nContent-Length: 1000\r\n\r\n#{inner}", []],
    'chunks cut short' => ["POST /outer HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n#{inner}", []]
  }.each do |what, (bytes, paths)|
    it "has one meaning for #{what}" do
      send_all(bytes)
      expect(seen).to eq(paths)
    end
  end
end
