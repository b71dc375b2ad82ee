# frozen_string_literal: true

require_relative 'listener'

# The programs of docs/realtime.md, as they stand there.
RSpec.describe 'docs/realtime.md' do
  blocks = File.read(File.join(ROOT, 'docs', 'realtime.md')).scan(/^```ruby\n(.*?)^```$/m).flatten
  programs = blocks.to_h { |source| [source[/\A# (\S+)$/, 1], source] }

  define_method(:boot_program) do |name, *arguments|
    boot_cli('-t', '2', *arguments, write_file(work_dir, name, programs.fetch(name)))
  end

  it 'has a chat for all workers, for WebSockets and event streams' do
    @server = boot_program('config.ru', '-w', '2')
    stream = events('/tea')
    expect(stream.wait.data).to eq('Somebody came.')
    other = events('/coffee')
    file = write_file(work_dir, 'client.rb', programs.fetch('client.rb'))
    client = launch([*ruby, file, "ws://127.0.0.1:#{@server.port}/tea"], port: nil)
    expect([stream.wait.data, stream.wait.data]).to eq(['Somebody came.', 'Hello from a program'])
    client.wait_for("Somebody came.\nHello from a program\n", stream: :stdout)
    client.kill(:KILL)
    expect(stream.wait.data).to eq('Somebody left.')
    expect(other.wait.data).to eq('Somebody came.')
    expect(dial.get('/').body).to eq("Open a WebSocket, or an event stream.\n")
  end

  it 'has a client that comes back' do
    @server = boot_program('config.ru', '-w', '1')
    file = write_file(work_dir, 'client.rb', programs.fetch('client.rb'))
    client = launch([*ruby, file, "ws://127.0.0.1:#{@server.port}/"], port: nil)
    client.wait_for('Hello from a program', stream: :stdout)
    @server.kill
    @server.wait
    boot_program('config.ru', '-w', '1', '-p', @server.port.to_s)
    client.wait_for(/(Hello from a program\n.*){2}/m, stream: :stdout, timeout: 20)
  end

  it 'has event streams that know what was seen' do
    @server = boot_program('ticks.ru', '-w', '1')
    tick = events('/').wait
    expect([tick.type, tick.id]).to eq(['tick', tick.data])
    stream = events('/', { 'last-event-id' => tick.id })
    since = stream.wait
    expect([since.type, since.data, stream.wait.type]).to eq(['since', tick.id, 'tick'])
  end

  it 'has a raw server' do
    @server = boot_program('raw.rb', '-w', '1')
    expect(dial.write('hello').read(5)).to eq('HELLO')
  end

  it 'has the middleware that examples/rails has' do
    live = File.read(File.join(ROOT, 'examples', 'rails', 'lib', 'live.rb'))
    documented = blocks.find { |block| block.start_with?("class Live\n") }
    code = documented.lines.map(&:strip).grep(/\A(def |return |env|@app|module|client\.sub)/).map { |line| line.sub(/ +#.*/, '').tr('"', "'") }
    expect(code.size).to be > 8
    code.each { |line| expect(live).to include(line) }
  end
end
