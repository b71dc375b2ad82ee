# frozen_string_literal: true

require_relative 'connection_app'

RSpec.describe 'Memory of connections' do
  TIDY = <<~RUBY
    def on_message(client, data)
      return client.write(data) unless data == 'tidy'
      3.times { GC.start }
      GC.compact
      client.write(ObjectSpace.each_object(Iodine::Connection).count.to_s.rjust(8))
    end
  RUBY

  def churn(count)
    count.times.each_slice(100) do |slice|
      clients = slice.map { dial.write('hello') }
      clients.each { |client| client.tap { client.read(5) }.close }
    end
  end

  it 'stays flat over 10,000 that open and close' do
    @server = boot_raw(TIDY)
    watcher = dial
    churn(2000)
    watcher.write('tidy').read(8)
    before = @server.rss
    churn(10_000)
    expect(watcher.write('tidy').read(8).to_i).to be < 120
    expect(@server.rss - before).to be < 3_000_000 * Support::Deadline::SLOWER
  end

  it 'is kept for those that are open, wherever they are moved' do
    @server = boot_raw(TIDY)
    clients = Array.new(200) { dial }
    clients.each { |client| expect(client.write('before').read(6)).to eq('before') }
    expect(clients.first.write('tidy').read(8).to_i).to be_between(200, 210)
    clients.each { |client| expect(client.write('after').read(5)).to eq('after') }
  end

  it 'is right when the GC runs all the time' do
    @server = boot_raw(<<~RUBY, setup: 'Iodine.on_state(:on_start) { GC.stress = true }')
      def on_open(client) = client.write('open ')
      def on_message(client, data)
        client.defer { client.write('deferred ') }
        client.handler = Class.new { def on_message(client, data) = client.write(data.upcase) }.new if data == 'switch'
        client.write(data * 3)
      end
    RUBY
    clients = Array.new(3) { dial(timeout: 30) }
    clients.each do |client|
      expect(client.read(5)).to eq('open ')
      expect(client.write('abc').read(18)).to eq('abcabcabcdeferred ')
      expect(client.write('switch').read(27)).to eq("#{'switch' * 3}deferred ")
      expect(client.write('new').read(3)).to eq('NEW')
    end
  end
end
