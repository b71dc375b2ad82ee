# frozen_string_literal: true

RSpec.describe 'examples/roda' do
  before(:context) do
    @server = boot_cli('-w', '1', '-t', '4', File.join(ROOT, 'examples', 'roda', 'config.ru'))
  end

  let(:client) { browser(@server) }

  %w[/export.csv /stream.csv].each do |path|
    it "sends #{path} whole" do
      lines = client.visit("#{path}?rows=100001").lines
      expect(lines.size).to eq(100_002)
      expect(lines.first).to eq("id,name,amount\n")
      expect(lines.last).to start_with('100001,customer ')
      expect(lines[1..].map(&:to_i)).to eq((1..100_001).to_a)
    end
  end

  it 'keeps its memory flat while a client reads slowly, and serves others meanwhile' do
    slow = dial(timeout: 20)
    slow.write("GET /export.csv?rows=3000000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    slow.read(100_000)
    before = @server.rss
    sleep 0.5
    expect(client.visit('/export.csv?rows=1').lines.size).to eq(2)
    expect(@server.rss - before).to be < 10_000_000
    slow.reset
    expect(client.visit('/export.csv?rows=2').lines.size).to eq(3)
  end

  it 'refuses more rows than it makes' do
    expect(client.status('/export.csv?rows=10000001')).to eq(422)
  end
end
