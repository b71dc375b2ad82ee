# frozen_string_literal: true

# RFC 9112 section 3.2: the four forms of a request target.
RSpec.describe 'Request targets' do
  before(:context) { @server = boot(Apps::MIRROR, '-w', '1') }

  let(:client) { dial }

  def told(target, host: 'spec', method: 'GET')
    answer = client.ask("#{method} #{target} HTTP/1.1\r\nHost: #{host}\r\n\r\n")
    answer.body.lines(chomp: true).take_while { |line| !line.empty? }.to_h { |line| line.split('=', 2) }
  end

  it 'leaves path and query as they were sent' do
    expect(told('/a%2Fb/../c//d;e?x=%41&y=?')).to include('PATH_INFO' => '/a%2Fb/../c//d;e', 'QUERY_STRING' => 'x=%41&y=?')
    expect(told('/?')).to include('PATH_INFO' => '/', 'QUERY_STRING' => '')
  end

  it 'takes Host, with its port' do
    expect(told('/', host: 'example.org:81')).to include('HTTP_HOST' => 'example.org:81', 'SERVER_NAME' => 'example.org',
                                                         'SERVER_PORT' => '81')
    expect(told('/', host: '[::1]:81')).to include('HTTP_HOST' => '[::1]:81', 'SERVER_PORT' => '81')
  end

  it 'lets the authority of an absolute target replace Host' do
    expect(told('http://example.org:81/p?q=1', host: 'other')).to include(
      'HTTP_HOST' => 'example.org:81', 'SERVER_NAME' => 'example.org', 'SERVER_PORT' => '81',
      'PATH_INFO' => '/p', 'QUERY_STRING' => 'q=1'
    )
  end

  it 'takes an absolute target without a path' do
    expect(told('HTTP://example.org')).to include('PATH_INFO' => '/', 'QUERY_STRING' => '')
    expect(told('http://example.org?q=1')).to include('PATH_INFO' => '/', 'QUERY_STRING' => 'q=1')
  end

  it 'answers OPTIONS * itself with 204 and goes on' do
    answer = client.ask("OPTIONS * HTTP/1.1\r\nHost: spec\r\n\r\n")
    expect(answer.status).to eq(204)
    expect(answer.headers.keys).not_to include('content-length', 'transfer-encoding')
    expect(told('/next')).to include('PATH_INFO' => '/next')
  end

  it 'gives OPTIONS of a path to the application' do
    expect(told('/p', method: 'OPTIONS')).to include('REQUEST_METHOD' => 'OPTIONS', 'PATH_INFO' => '/p')
  end

  it 'refuses CONNECT with 501' do
    expect(client.ask("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n").status).to eq(501)
    expect(client.rest).to eq('')
  end

  it 'takes methods it has never heard of' do
    expect(told('/', method: 'PURGE')).to include('REQUEST_METHOD' => 'PURGE')
  end
end
