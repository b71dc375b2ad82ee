# frozen_string_literal: true

require_relative 'listener'

RSpec.describe 'examples/redis-chat' do
  file = File.join(ROOT, 'examples', 'redis-chat', 'config.ru')

  define_method(:boot_chat) do |*arguments|
    boot_cli('-t', '2', '-r', @redis.url, *arguments, file, env: { 'CHAT_BEAT' => '0.5' })
  end

  def come(server, name)
    events("/live?#{URI.encode_www_form(room: 'tea', name: name, user: name)}", server: server)
  end

  def welcome(server, name)
    come(server, name).wait { |event| event.json['type'] == 'welcome' }.json
  end

  def say(server, name, text)
    curl('--data-binary', JSON.generate(room: 'tea', name: name, user: name, text: text), "http://127.0.0.1:#{server.port}/say")
  end

  before(:context) { @redis = boot_redis }

  it 'is one chat on two ports, whoever came first' do
    first = boot_chat('-w', '2')
    ann = come(first, 'Ann')
    ann.wait { |event| event.json['name'] == 'Ann' }
    say(first, 'Ann', 'long ago')
    ann.wait { |event| event.json['text'] == 'long ago' }

    second = boot_chat('-w', '1')
    lines = eventually(within: 20) { welcome(second, 'Eve')['lines'].then { |all| all if all.any? } }
    expect(lines.map { |line| line['text'] }).to eq(['long ago'])
    eventually(within: 20) { welcome(second, 'Eve')['people'].any? { |person| person['name'] == 'Ann' } }

    bob = come(second, 'Bob')
    ann.wait { |event| event.json.slice('type', 'name') == { 'type' => 'join', 'name' => 'Bob' } }
    20.times { |n| say([first, second][n % 2], 'Ann', "line #{n}") }
    [ann, bob].each do |stream|
      heard = []
      stream.wait { |event| event.json['type'] == 'line' && heard.push(event.json['text']).size == 20 }
      expect(heard).to match_array((0..19).map { |n| "line #{n}" })
    end
  end

  it 'says what it needs' do
    _, err, status = run_cli('-p', '0', file)
    expect([err.lines.last, status.exitstatus]).to eq(["iodine: name a Redis: -r redis://localhost:6379\n", 1])
  end
end
