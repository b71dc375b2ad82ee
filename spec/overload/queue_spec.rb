# frozen_string_literal: true

require_relative 'saturated_app'

# What happens is checked by its order: while /wait is not let go, the only thread is busy.
RSpec.describe 'A full queue' do
  include SaturatedApp

  def nothing?(client)
    client.read_some(within: 0.05).empty?
  end

  describe '--max-queue' do
    before { boot_saturated('-w', '1', '-t', '1', '-v', '--max-queue', '2') }

    let!(:busy) { occupy }
    let!(:queued) { Array.new(2) { |n| enqueue(get("/queued#{n}")) } }

    it 'answers 503 with Retry-After before the application answers, and serves what it had queued' do
      refused = dial.get('/refused')
      expect([refused.status, refused['retry-after'], refused.body]).to match([503, /\A[1-5]\z/, "Service Unavailable\n"])
      expect([busy, *queued].map { |client| nothing?(client) }).to eq([true] * 3)
      let_go
      expect([busy, *queued].map { |client| client.receive.body[/\A\S+/] }).to eq(%w[/wait /queued0 /queued1])
      expect(seen?('/refused')).to be(false)
    end

    it 'keeps the connection where it may' do
      client = dial
      expect(Array.new(5) { client.get('/again').status }.uniq).to eq([503])
      expect(client.get['connection']).to be_nil
      old = client.ask("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
      expect([old.status, old['connection']]).to eq([503, 'keep-alive'])
      last = client.get('/', 'connection' => 'close')
      expect([last.status, last['connection'], client.rest]).to eq([503, 'close', ''])
    end

    it 'answers HEAD without a body, pipelined requests in order, and a client that sent FIN' do
      head = dial.write(get('/h', 'HEAD') + get('/g')).shut
      expect(head.receive(head_only: true)['content-length']).to eq('20')
      expect([head.receive.status, head.rest]).to eq([503, ''])
    end

    it 'answers after the body, which is not taken for a request' do
      client = dial
      body = get('/smuggled')
      expect(client.request('POST', '/', body: body).status).to eq(503)
      client.write("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
      expect(client.receive.status).to eq(503)
      expect(nothing?(client)).to be(true)
    end

    it 'has room again for a client that left' do
      queued.first.reset
      eventually { dial { |client| client.write(get('/late')) && nothing?(client) } }
      let_go
      expect(queued.last.receive.status).to eq(200)
      expect(seen?('/queued0')).to be(false)
    end

    it 'does not count those that sent FIN, and still serves them' do
      queued.each(&:shut)
      later = eventually { dial.write(get('/later')).then { |client| client if nothing?(client) } }
      let_go
      expect([later, *queued].map { |client| client.receive.status }).to eq([200] * 3)
    end

    it 'writes the access log' do
      dial.get('/logged?x')
      @server.wait_for(%r{"GET /logged HTTP/1.1" 503 20b \d+\.\dms})
    end

    it 'answers what needs no application' do
      expect(dial.ask("OPTIONS * HTTP/1.1\r\nhost: spec\r\n\r\n").status).to eq(204)
    end
  end

  it 'holds a row of pipelined requests to one place' do
    boot_saturated('-w', '1', '-t', '1', '--max-queue', '1')
    busy = occupy
    row = enqueue(get('/row') * 10)
    expect(dial.get.status).to eq(503)
    let_go
    expect([busy.receive, *Array.new(10) { row.receive }].map(&:status)).to eq([200] * 11)
  end

  it 'does not refuse what idle threads can take at once' do
    boot_saturated('-w', '1', '-t', '4', '--max-queue', '1')
    clients = Array.new(4) { |n| occupy("/wait#{n}") }
    waits = enqueue(get('/fifth'))
    expect(dial.get.status).to eq(503)
    let_go
    expect([*clients, waits].map { |client| client.receive.status }).to eq([200] * 5)
  end

  describe '--queue-timeout' do
    before { boot_saturated('-w', '1', '-t', '1', '-v', '--queue-timeout', '300') }

    let!(:busy) { occupy }

    it 'answers 503 to those that waited too long, while the application is busy' do
      clients = Array.new(3) { |n| dial.write(get("/waits#{n}")) }
      answers = clients.map(&:receive)
      expect(answers.map(&:status)).to eq([503] * 3)
      expect(answers.map { |answer| answer['retry-after'] }).to all(match(/\A[1-5]\z/))
      expect(nothing?(busy)).to be(true)
      expect(clients.first.ask(get('/again', 'HEAD'), head_only: true).status).to eq(503)
      let_go
      expect(busy.receive.status).to eq(200) # it was not waiting: it had its thread
      expect(clients.first.get('/served').status).to eq(200)
      expect(Array.new(3) { |n| seen?("/waits#{n}") }).to eq([false] * 3)
      @server.wait_for(%r{"GET /waits2 HTTP/1.1" 503 20b \d+\.\dms})
    end

    it 'reaches those behind the others, and rows' do
      half = dial.write(get('/half')).shut
      row = dial.write(get('/row') * 3)
      expect([half.receive.status, *Array.new(3) { row.receive.status }]).to eq([503] * 4)
      expect(half.rest).to eq('')
    end

    it 'does not touch a client that left' do
      dial.write(get('/left')).reset
      expect(dial.get.status).to eq(503)
      expect(@server.descriptors).to be < 40
    end
  end
end
