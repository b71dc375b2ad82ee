# frozen_string_literal: true

# The limits that can be set when the server starts.
RSpec.describe 'HTTP limits set by options' do
  before(:context) { @server = boot(Apps::WITNESS, '-w', '1', '-maxbd', '2', '-max-header', '4', '--max-clients', '12') }

  let(:client) { dial }

  def get(lines)
    client.try_write("GET / HTTP/1.1\r\nHost: spec\r\n#{lines}\r\n")
    client.receive.status
  end

  it 'takes a head below -max-header (KB) and refuses one above with 431' do
    expect(get("X-A: #{'a' * 1_000}\r\n" * 3)).to eq(200)
    expect(get("X-A: #{'a' * 1_000}\r\n" * 5)).to eq(431)
  end

  it 'takes a body below -max-body (MB) and refuses one above with 413' do
    body = 'x' * 2_000_000
    expect(client.ask("POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: #{body.bytesize}\r\n\r\n#{body}").status).to eq(200)
    expect(client.ask("POST / HTTP/1.1\r\nHost: spec\r\nContent-Length: 2100000\r\n\r\n").status).to eq(413)
  end

  it 'answers 503 and closes past --max-clients, and takes clients again when some have left' do
    clients = Array.new(12) { dial }
    clients.each { |one| expect(one.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n").status).to eq(200) }
    refused = dial
    refused.try_write("GET / HTTP/1.1\r\nHost: spec\r\n\r\n")
    expect(refused.receive.status).to eq(503)
    expect(refused.rest).to eq('')
    clients.each(&:close)
    eventually { dial { |one| one.ask("GET / HTTP/1.1\r\nHost: spec\r\n\r\n")&.status == 200 } }
  end
end
