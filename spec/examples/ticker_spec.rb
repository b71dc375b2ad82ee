# frozen_string_literal: true

require_relative 'listener'

RSpec.describe 'examples/ticker' do
  before(:context) do
    @server = boot_cli('-w', '2', '-t', '2', File.join(ROOT, 'examples', 'ticker', 'config.ru'), env: { 'TICKER_MS' => '100' })
  end

  def ticks(count, headers = {})
    stream = events('/ticks', headers)
    Array.new(count) { stream.wait }.tap { stream.close }
  end

  it 'ticks, with numbers in their order' do
    heard = ticks(5)
    expect(heard.map(&:type).uniq).to eq(['tick'])
    expect(heard.map { |event| event.id.to_i }).to eq((heard.first.id.to_i...).first(5))
    expect(heard.last.json.keys).to eq(%w[ruby tea bread])
  end

  it 'tells who comes back what they have missed' do
    last = ticks(1).first.id.to_i
    sleep 0.5
    heard = ticks(6, { 'last-event-id' => last.to_s })
    expect(heard.map { |event| event.id.to_i }).to eq(((last + 1)..).first(6))
  end

  it 'tells all of them the same, whatever worker they are with' do
    from = (Time.now.to_f * 10).floor - 50
    heard = Array.new(6) { ticks(20, 'last-event-id' => from.to_s).map { |event| [event.id, event.data] } }
    expect(heard.uniq.size).to eq(1)
  end

  it 'begins anew with a number that is none, or too old, or yet to come' do
    now = (Time.now.to_f * 10).floor
    ['x', '-5', '0', (now + 1000).to_s, '9' * 40].each do |id|
      expect(ticks(1, 'last-event-id' => id).first.id.to_i).to be_within(110).of(now + 10)
    end
  end

  it 'says when to come again' do
    client = dial
    client.write("GET /ticks HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n")
    head = client.receive(head_only: true)
    expect([head.status, head['content-type'][/[^;]*/]]).to eq([200, 'text/event-stream'])
    expect(client.read(11)).to eq("retry: 100\n")
  end

  it 'has a page, which goes on by itself when the server was away' do
    page = person(chromium)
    server = boot_cli('-w', '1', File.join(ROOT, 'examples', 'ticker', 'config.ru'), env: { 'TICKER_MS' => '100' })
    page.go_to("http://127.0.0.1:#{server.port}/")
    state = -> { page.at_css('#state').text }
    eventually(within: 20) { state.call.start_with?('tick') }
    server.kill
    server.wait
    eventually(within: 20) { state.call.start_with?('offline') }
    boot_cli('-w', '1', '-p', server.port.to_s, File.join(ROOT, 'examples', 'ticker', 'config.ru'), env: { 'TICKER_MS' => '100' })
    eventually(within: 20) { state.call.start_with?('tick') }
    expect(page.css('#prices tr').size).to eq(3)
  end
end
