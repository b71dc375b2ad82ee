# frozen_string_literal: true

# The collector moves everything it may move, again and again, while requests are under way.
RSpec.describe 'A server whose objects move', :soak do
  before(:context) do
    skip 'this Ruby cannot compact' unless GC.respond_to?(:verify_compaction_references)

    @server = boot(<<~'RUBY' + Apps::WAYS, '-w', '1', '-t', '3', lint: false)
      Thread.new do
        loop do
          GC.verify_compaction_references(double_heap: false, toward: :empty)
          sleep 0.01
        end
      end
    RUBY
  end

  def get(path)
    "GET #{path} HTTP/1.1\r\nHost: spec\r\nCookie: a=1\r\nX-Unknown-#{rand(100)}: #{'v' * rand(200)}\r\n\r\n"
  end

  body = 'x' * 100_000

  # Status and size of the answers to seven requests.
  define_method(:round) do |client|
    client.write(%w[/hello /parts /each /file /raise /big].map { |path| get(path) }.join)
    answers = Array.new(6) { client.receive }
    answers << client.request('POST', '/input', body: body)
    answers.map { |answer| [answer.status, answer.body.bytesize] }
  end

  it 'gives all clients the right answers' do
    clients = Array.new(3) { dial(timeout: 20) }
    rounds = clients.map { |client| Thread.new { Array.new(15) { round(client) } } }.flat_map(&:value)
    expect(rounds.uniq).to eq([[[200, 5], [200, 11], [200, 35], [200, 200_000], [500, 22], [200, 3_000_000],
                                [200, body.sum(32).to_s.bytesize]]])
  end
end
