# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'a slow client' do
  extend RackApp

  rack_app <<~'RUBY', threads: 3
    counts = Hash.new(0)
    closed = Hash.new(0)
    body_class = Class.new do
      define_method(:initialize) { |name| @name = name }
      define_method(:each) { |&block| 2000.times { block.call('x' * 32_768); counts[@name] += 1 } }
      define_method(:close) { closed[@name] += 1 }
    end
    text = { 'content-type' => 'text/plain' }
    lambda do |env|
      path = env['PATH_INFO']
      case path
      when '/counts' then [200, { 'content-type' => 'application/json' }, [JSON.generate([counts, closed])]]
      when '/rss' then [200, text, [File.read('/proc/self/status')[/VmRSS:\s+(\d+)/, 1]]]
      when '/big' then [200, text, Array.new(3) { |n| n.to_s * 10_000_000 }]
      else [200, text, body_class.new(path)]
      end
    end
  RUBY

  def counts
    json('/counts').first
  end

  it 'holds up the body, not the server' do
    slow = dial(timeout: 20)
    slow.write("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
    eventually { counts['/held'].to_i.positive? }
    written = eventually do
      counts['/held'].then do |before|
        sleep 0.2
        before if before == counts['/held']
      end
    end
    expect(written).to be < 1000
    expect(slow.receive.body.bytesize).to eq(2000 * 32_768)
    expect(json('/counts').last['/held']).to eq(1)
  end

  it 'that leaves ends the body' do
    client = dial
    client.write("GET /left HTTP/1.1\r\nHost: x\r\n\r\n")
    client.read(1_000_000)
    client.reset
    eventually { json('/counts').last['/left'] == 1 }
    expect(counts['/left']).to be < 1999
    expect(log).not_to match(/ERROR/)
  end

  it 'does not hold a thread for a body that is in memory' do
    clients = Array.new(6) { dial(timeout: 20).tap { |client| client.write("GET /big HTTP/1.1\r\nHost: x\r\n\r\n") } }
    expect(get('/counts').status).to eq(200)
    clients.each { |client| expect(client.receive.body).to eq(Array.new(3) { |n| n.to_s * 10_000_000 }.join) }
  end

  it 'that leaves gives memory back' do
    rss = -> { get('/rss').body.to_i }
    before = rss.call
    10.times do
      client = dial
      client.write("GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
      client.read(10_000)
      client.reset
    end
    eventually(within: 10) { get('/counts') && rss.call < before + 150_000 }
  end
end
