# frozen_string_literal: true

# RFC 9110 sections 6.4.1, 8.6, 9.3.2, 15.3.5, 15.4.5: answers that have no content.
RSpec.describe 'Responses without content' do
  before(:context) { @server = boot(Apps::WAYS, '-w', '1', lint: false) }

  let(:client) { dial }

  def ask(method, path)
    client.ask("#{method} #{path} HTTP/1.1\r\nHost: spec\r\n\r\n", head_only: method == 'HEAD')
  end

  it 'answers HEAD as GET but for the content, and goes on' do
    %w[/hello /parts /file /big].each do |path|
      head = ask('HEAD', path)
      get = ask('GET', path)
      expect(head.status).to eq(200)
      expect(head.headers['content-length']).to eq(get.headers['content-length'])
      expect(get.body.bytesize.to_s).to eq(get.headers['content-length'])
    end
  end

  it 'sends no chunk to HEAD of a streamed answer' do
    expect(ask('HEAD', '/each').status).to eq(200)
    expect(ask('GET', '/hello').body).to eq('hello')
  end

  it 'sends no content for an error to HEAD' do
    expect(ask('HEAD', '/raise').status).to eq(500)
    expect(ask('GET', '/hello').body).to eq('hello')
  end

  it 'sends neither length nor content with 204' do
    answer = ask('GET', '/none')
    expect(answer.status).to eq(204)
    expect(answer.headers.keys).not_to include('content-length', 'transfer-encoding')
    expect(ask('GET', '/hello').body).to eq('hello')
  end

  it 'sends no content with 304' do
    answer = ask('GET', '/same')
    expect(answer.status).to eq(304)
    expect(answer.headers.keys).not_to include('transfer-encoding', 'content-length')
    expect(ask('GET', '/hello').body).to eq('hello')
  end

  it 'dates every answer' do
    date = /\A(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\z/
    %w[/hello /none /same /raise /file].each { |path| expect(ask('GET', path).headers['date']).to match(date) }
    expect(client.ask("GET / HTTP/1.1\r\n\r\n").headers['date']).to match(date)
  end
end
