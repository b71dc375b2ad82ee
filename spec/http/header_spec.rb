# frozen_string_literal: true

# RFC 9110 section 5: what becomes of request headers.
RSpec.describe 'Request headers' do
  before(:context) { @server = boot(Apps::MIRROR, '-w', '1') }

  let(:client) { dial }

  def told(lines)
    answer = client.ask("GET / HTTP/1.1\r\nHost: spec\r\n#{lines}\r\n")
    expect(answer.status).to eq(200)
    answer.body.lines(chomp: true).take_while { |line| !line.empty? }.to_h { |line| line.split('=', 2) }
  end

  it 'takes off the white space around a value, and none inside' do
    expect(told("X-A: \t one  two \t \r\nX-B:three\r\nX-C:\r\n")).to include(
      'HTTP_X_A' => 'one  two', 'HTTP_X_B' => 'three', 'HTTP_X_C' => ''
    )
  end

  it 'joins duplicates with a comma, cookies with a semicolon' do
    expect(told("X-A: 1\r\nCookie: a=1\r\nx-a: 2\r\ncookie: b=2\r\nX-A: 3\r\n")).to include(
      'HTTP_X_A' => '1, 2, 3', 'HTTP_COOKIE' => 'a=1; b=2'
    )
  end

  it 'drops names with an underscore, which could pass for others' do
    expect(told("X-A: 1\r\nX_A: 2\r\nContent_Length: 7\r\n")).to include('HTTP_X_A' => '1')
  end

  it 'takes bytes over 127 in a value as they are' do
    expect(told("X-A: \xE2\x82\xAC\xFF\r\n".b)['HTTP_X_A']).to eq("\xE2\x82\xAC\xFF".b)
  end

  it 'names Content-Type without HTTP_' do
    told = told("Content-Type: text/plain\r\n")
    expect(told['CONTENT_TYPE']).to eq('text/plain')
    expect(told).not_to have_key('HTTP_CONTENT_TYPE')
  end
end
