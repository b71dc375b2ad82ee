# frozen_string_literal: true

# RFC 9112 sections 6 and 7: request bodies.
RSpec.describe 'HTTP request bodies' do
  before(:context) { @server = boot(Apps::MIRROR, '-w', '1', '-max-body', '1', env: { 'TMPDIR' => @tmp = work_dir }) }

  let(:client) { dial }

  def chunked(body, lines: '')
    "POST /p HTTP/1.1\r\nHost: spec\r\nTransfer-Encoding: chunked\r\n#{lines}\r\n#{body}"
  end

  def sized(body, length = body.bytesize)
    "POST /p HTTP/1.1\r\nHost: spec\r\nContent-Length: #{length}\r\n\r\n#{body}"
  end

  def body_of(request)
    answer = client.ask(request)
    expect(answer.status).to eq(200)
    answer.body.split("\n\n", 2).last
  end

  it 'takes as many bytes as Content-Length says' do
    expect(body_of(sized("a\0\r\n\r\nz"))).to eq("a\0\r\n\r\nz")
    expect(body_of(sized(''))).to eq('')
  end

  it 'takes a Content-Length with zeroes in front, and a list of equal ones' do
    expect(body_of(sized('hello', '0005'))).to eq('hello')
    expect(body_of(sized('hello', '5, 5'))).to eq('hello')
  end

  it 'joins chunks' do
    expect(body_of(chunked("5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"))).to eq('hello world')
    expect(body_of(chunked("0\r\n\r\n"))).to eq('')
  end

  it 'reads sizes in either case, with zeroes in front' do
    expect(body_of(chunked("0000a\r\n0123456789\r\nB\r\n0123456789A\r\n00\r\n\r\n"))).to eq('01234567890123456789A')
  end

  it 'passes over chunk extensions and trailers' do
    body = "5;name=value;q=\"a;b\"\r\nhello\r\n0;last\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"
    answer = client.ask(chunked(body, lines: "Trailer: X-Sum\r\n"))
    expect(answer.body).to end_with("\n\nhello")
    expect(answer.body).not_to include('X_SUM', 'X_MORE')
    expect(client.ask(sized('next')).body).to end_with("\n\nnext")
  end

  it 'takes "Chunked" in any case' do
    request = chunked("5\r\nhello\r\n0\r\n\r\n").sub('Encoding: chunked', 'ENCODING: CHUNKED')
    expect(body_of(request)).to eq('hello')
  end

  it 'does not show a chunked body as chunked to the application' do
    expect(client.ask(chunked("2\r\nhi\r\n0\r\n\r\n")).body).not_to match(/^HTTP_TRANSFER_ENCODING=/)
  end

  it 'takes bodies larger than it keeps in memory, in both framings' do
    body = Random.new(1).bytes(900_000)
    expect(body_of(sized(body)) == body).to be(true)
    pieces = body.scan(/.{1,7000}/mn).map { |piece| "#{piece.bytesize.to_s(16)}\r\n#{piece}\r\n" }
    expect(body_of(chunked("#{pieces.join}0\r\n\r\n")) == body).to be(true)
  end

  it 'takes a body with a GET and a DELETE' do
    %w[GET DELETE PATCH].each do |method|
      expect(body_of(sized('hello').sub('POST', method))).to eq('hello')
    end
  end

  it 'refuses a Content-Length over the limit with 413 before the body is sent' do
    expect(client.ask(sized('', 1_048_577)).status).to eq(413)
    expect(client.rest).to eq('')
  end

  it 'takes a body of just the limit' do
    expect(body_of(sized('x' * 1_048_576)).bytesize).to eq(1_048_576)
  end

  it 'lets a client that goes on sending read the 413' do
    client.try_write(sized('x' * 600_000, 2_000_000))
    expect(client.receive.status).to eq(413)
  end

  it 'refuses chunks whose sum is over the limit with 413' do
    client.try_write(chunked("#{"10000\r\n#{'x' * 65_536}\r\n" * 17}0\r\n\r\n"))
    expect(client.receive.status).to eq(413)
    expect(client.rest).to eq('')
  end

  it 'refuses one chunk that announces more than the limit with 413' do
    client.try_write(chunked("FFFFFFF\r\n"))
    expect(client.receive.status).to eq(413)
  end

  it 'leaves no file in the temporary folder' do
    client.write(sized('x' * 500_000, 900_000))
    sleep 0.2
    expect(Dir.children(@tmp)).to eq([])
  end
end
