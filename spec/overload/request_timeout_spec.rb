# frozen_string_literal: true

require_relative 'saturated_app'

RSpec.describe 'The time of a request' do
  include SaturatedApp

  before { boot_saturated('-w', '1', '-t', '1', '-v', '--request-timeout', '1') }

  def finished
    path = File.join(@dir, 'finished')
    File.exist?(path) ? File.size(path) : 0
  end

  it 'ends in 504 and a close, for the one in the application and those in the queue' do
    busy = occupy
    queued = dial.write(get('/queued') * 2)
    answers = [busy, queued].map(&:receive)
    expect(answers.map { |answer| [answer.status, answer['connection']] }).to eq([[504, 'close']] * 2)
    expect([busy, queued].map(&:rest)).to eq(['', ''])
    expect(seen?('/queued')).to be(false)
    @server.wait_for(%r{"GET /wait HTTP/1.1" 504 16b \d+\.\dms})
  end

  it 'drops the answer that comes too late, and goes on' do
    busy = occupy
    expect(busy.receive.status).to eq(504)
    expect(busy.rest).to eq('')
    expect(finished).to eq(0) # it is still in the application
    let_go
    eventually { finished == 1 }
    expect(dial.get('/next').status).to eq(200)
    expect(finished).to eq(1)
    expect(@server.stderr).not_to match(/ERROR|WARNING/)
    expect(@server.stderr.scan('"GET /wait').size).to eq(1)
  end

  it 'sends no body to HEAD, and reaches a client that sent FIN' do
    head = dial.write(get('/wait', 'HEAD')).shut
    expect(head.receive(head_only: true)['content-length']).to eq('16')
    expect(head.rest).to eq('')
  end

  it 'leaves a response alone that has begun' do
    source = <<~'RUBY'
      run ->(env) { [200, { 'content-type' => 'text/plain' }, Enumerator.new { |out| 4.times { |n| out << n.to_s; sleep 0.5 } }] }
    RUBY
    server = boot(source, '-w', '1', '-t', '1', '--request-timeout', '1', lint: false)
    dial(server) { |client| expect(client.get.body).to eq('0123') }
  end

  it 'counts from the end of the body' do
    client = dial.write("POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n")
    3.times do |n|
      sleep 0.5
      client.write(n.to_s)
    end
    expect(client.receive.body).to end_with(' 012')
  end
end
