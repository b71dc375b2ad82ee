# frozen_string_literal: true

require_relative 'listener'

# What all processes know of each other; the page has chat_page_spec.rb.
RSpec.describe 'examples/chat' do
  chat = File.join(ROOT, 'examples', 'chat', 'config.ru')

  define_method(:boot_chat) do |*arguments, **options|
    boot_cli(*arguments, '-t', '2', chat, env: { 'CHAT_BEAT' => '0.3' }, **options)
  end

  def come(name, room: 'lobby', server: @server)
    events("/live?#{URI.encode_www_form(room: room, name: name, user: name)}", server: server)
  end

  # Comes, and is told what happened before.
  def welcome(name, **place)
    come(name, **place).wait { |event| event.json['type'] == 'welcome' }.json
  end

  def post(path, body)
    curl('--output', File::NULL, '--write-out', '%{http_code}', '--data-binary', body, "http://127.0.0.1:#{@server.port}#{path}")
  end

  def say(name, text, room: 'lobby')
    post('/say', JSON.generate(name: name, user: name, room: room, text: text))
  end

  context 'with two workers' do
    before { @server = boot_chat('-w', '2') }

    it 'tells everybody in a room, whatever process they are in, and nobody in another' do
      here = Array.new(8) { |n| come("here#{n}", room: 'tea') }
      there = come('there', room: 'ruby')
      [*here, there].each(&:wait)
      say('Ann', 'for tea', room: 'tea')
      say('Ann', 'for ruby', room: 'ruby')
      here.each { |stream| expect(stream.wait { |event| event.json['type'] == 'line' }.json['text']).to eq('for tea') }
      expect(there.wait { |event| event.json['type'] == 'line' }.json).to include('text' => 'for ruby', 'name' => 'Ann')
    end

    it 'knows who is here, and tells who comes and goes' do
      ann = come('Ann')
      ann.wait { |event| event.json.slice('type', 'name') == { 'type' => 'join', 'name' => 'Ann' } }
      6.times { |n| eventually { welcome("guest#{n}")['people'].any? { |person| person['name'] == 'Ann' } } }
      bob = come('Bob', room: 'tea')
      id = ann.wait { |event| event.json.slice('type', 'name', 'room') == { 'type' => 'join', 'name' => 'Bob', 'room' => 'tea' } }.json['id']
      bob.close
      expect(ann.wait { |event| event.json['type'] == 'leave' && event.json['id'] == id }.json).to eq('type' => 'leave', 'id' => id)
    end

    it 'shows the last 50 lines of a room to who comes, in their order' do
      witness = come('witness', room: 'long')
      60.times { |n| say('Ann', "line #{n}", room: 'long') }
      witness.wait { |event| event.json['text'] == 'line 59' }
      6.times do |n|
        lines = eventually { welcome("guest#{n}", room: 'long')['lines'].then { |all| all if all.last['text'] == 'line 59' } }
        expect(lines.map { |line| line['text'] }).to eq((10..59).map { |number| "line #{number}" })
      end
    end

    it 'teaches workers that come late, and forgets who was in one that was killed' do
      streams = Array.new(8) { |n| come("old#{n}") }
      streams.each(&:wait)
      say('Ann', 'before')
      streams.each { |stream| stream.wait { |event| event.json['text'] == 'before' } }
      old = @server.children
      old.each { |pid| Process.kill(:KILL, pid) }
      eventually(within: 20) { @server.children.size == 2 && !@server.children.intersect?(old) }
      6.times do |n|
        eventually(within: 20) { welcome("new#{n}")['lines'].map { |line| line['text'] } == ['before'] }
        eventually(within: 20) { welcome("newer#{n}")['people'].none? { |person| person['name'].start_with?('old') } }
      end
    end

    it 'gives signs of life to pages' do
      expect(come('Ann').wait { |event| event.json['type'] == 'beat' }.json).to eq('type' => 'beat')
    end
  end

  context 'with one process' do
    before(:context) { @server = boot_chat('-w', '1') }

    it 'cuts what is too long and drops what can not be seen' do
      stream = come("A\u0000n\u001Bn#{'x' * 50}", room: '  Té a / ☕ ')
      expect(stream.wait { |event| event.json['type'] == 'join' }.json).to include('room' => 'té-a-', 'name' => "Ann#{'x' * 21}")
      say('Bob', "\u0007#{'é' * 3000}", room: 'té a')
      say('Bob', "two\nlines", room: 'té-a-')
      expect(stream.wait { |event| event.json['type'] == 'line' }.json['text']).to eq("two\nlines")
    end

    it 'takes no notice of what is no message' do
      stream = come('Ann', room: 'odd')
      ['', '{', '[]', '5', 'null', '{}', '{"text":" "}', '{"text":[]}', "\xFF", '[' * 5000].each { |body| expect(post('/say', body)).to eq('204') }
      say('Bob', 'sense', room: 'odd')
      expect(stream.wait { |event| event.json['type'] == 'line' && event.json['name'] == 'Bob' }.json['text']).to eq('sense')
    end

    it 'answers 400 and 404' do
      expect(dial.get('/live?name=%', 'accept' => 'text/event-stream').status).to eq(400)
      expect(['/live', '/config.ru', '/chat.rb', '/nothing'].map { |path| dial.get(path).status }).to eq([404] * 4)
    end

    it 'has a page that may load nothing from elsewhere' do
      page = dial.get('/')
      expect(page['content-security-policy']).to eq("default-src 'self'; img-src data:")
      expect(page.body).to include('<title>Chat')
      files = Dir[File.join(File.dirname(chat), 'public', '*')].map { |file| File.read(file) }
      expect(files.join.scan(%r{https?://[^'"\s)]+})).to eq(['http://www.w3.org/2000/svg'])
    end
  end

  it 'shows newcomers what was said just before they came, however late their process learns it' do
    slow = write_file(work_dir, 'slow.ru', <<~RUBY)
      require #{File.join(File.dirname(chat), 'chat').inspect}
      Chat::Memory.prepend(Module.new { def learn(message) = [(sleep 0.3 if message[:type] == 'line'), super] })
      run Chat
    RUBY
    @server = boot_cli('-w', '1', '-t', '2', slow)
    witness = come('witness')
    witness.wait { |event| event.json['type'] == 'welcome' }
    say('Ann', 'just before')
    witness.wait { |event| event.json['text'] == 'just before' }
    expect(welcome('Bob')['lines'].map { |line| line['text'] }).to eq(['just before'])
  end
end
