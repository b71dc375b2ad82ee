# frozen_string_literal: true

# What is published in one worker reaches the clients of all: once, and in its publisher's order.
RSpec.describe 'Pub/sub across workers' do
  app = <<~'RUBY'
    class Reader
      def on_open(client) = client.subscribe('news')
      def on_message(client, data) = client.write("#{Process.pid} #{data}")
    end

    class Writer
      def on_message(client, data) = client.publish('news', data)
    end

    Iodine.subscribe('ask') { |_, name| Iodine.publish('news', "#{name}: #{Iodine.master? ? 'root' : Process.pid}") }
    READER = Reader.new
    WRITER = Writer.new

    run(lambda do |env|
      case env['PATH_INFO']
      when '/read' then env['rack.upgrade'] = READER
      when '/write' then env['rack.upgrade'] = WRITER
      when '/ask' then Iodine.publish('ask', env['QUERY_STRING'])
      when '/large' then Iodine.publish('news', 'x' * Integer(env['QUERY_STRING']))
      when '/siblings' then Iodine.publish('news', 'others', Iodine::PubSub::SIBLINGS)
      when '/process' then Iodine.publish('news', 'here', Iodine::PubSub::PROCESS)
      when '/root' then Iodine.publish('ask', 'root alone', Iodine::PubSub::PUBLISH2ROOT)
      end
      [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
    end)
  RUBY

  def serve(app, workers)
    boot(app, '-w', workers.to_s, '-t', '2', lint: false)
  end

  def socket(server, path)
    Support::WebSocket.new(dial(server), path)
  end

  # Readers until each worker has one, by their workers' PIDs.
  def reader_of_each(server, workers)
    readers = {}
    eventually(within: 15) do
      one = socket(server, '/read')
      pid = one.text('who').receive[/\d+/]
      readers.key?(pid) ? one.hang_up : readers[pid] = one
      readers.size == workers
    end
    readers
  end

  [1, 2, 4].each do |workers|
    it "loses, doubles and reorders nothing with #{workers} workers" do
      server = serve(app, workers)
      readers = reader_of_each(server, workers).values + Array.new(4) { socket(server, '/read') }
      readers.each { |reader| reader.text('there').receive }
      writers = Array.new(3) { socket(server, '/write') }
      500.times { |number| writers.each_with_index { |writer, who| writer.text("#{who}:#{number}") } }
      readers.each do |reader|
        heard = Array.new(1500) { reader.receive.split(':').map(&:to_i) }.group_by(&:first)
        expect(heard.transform_values { |all| all.map(&:last) }).to eq((0..2).to_h { |who| [who, [*0...500]] })
      end
    end
  end

  it 'reaches whom it is for: all, the others, this process, the root' do
    server = serve(app, 2)
    readers = reader_of_each(server, 2)
    here = server.get('/siblings').body
    expect(readers.find { |pid, _| pid != here }.last.receive).to eq('others')
    here = server.get('/process').body
    expect(readers.fetch(here).receive).to eq('here')
    server.get('/root')
    readers.each_value { |reader| expect(reader.receive).to eq('root alone: root') }
    server.get('/ask?who')
    heard = readers.values.map { |reader| Array.new(3) { reader.receive }.sort }
    expect(heard).to all(eq(['who: root', *readers.keys.map { |pid| "who: #{pid}" }].sort))
  end

  it 'carries messages of a megabyte' do
    server = serve(app, 2)
    readers = reader_of_each(server, 2)
    server.get('/large?1048576')
    readers.each_value { |reader| expect(reader.receive.bytesize).to eq(1_048_576) }
  end

  it 'goes on for the others when a worker is killed, and reaches the one that takes its place' do
    server = serve(app, 2)
    readers = reader_of_each(server, 2)
    (dead, gone), (_, left) = readers.to_a
    Process.kill(:KILL, dead.to_i)
    gone.hang_up
    readers.delete(dead)
    fresh = reader_of_each(server, 2).reject { |pid, _| readers.key?(pid) }
    expect(fresh.size).to eq(1)
    writer = socket(server, '/write')
    200.times { |number| writer.text(number.to_s) }
    [left, *fresh.values].each { |reader| expect(Array.new(200) { reader.receive.to_i }).to eq([*0...200]) }
  end

  it 'replaces a worker that stands still while more than 64 MB wait for it; the others get all of it' do
    server = serve(app, 2)
    readers = reader_of_each(server, 2)
    still, = readers.keys
    left = readers.reject { |pid, _| pid == still }.values.first
    Process.kill(:STOP, still.to_i)
    # A stopped worker accepts nothing, so these are answered by the other one.
    80.times do
      server.get('/large?1048576')
      expect(left.receive.bytesize).to eq(1_048_576)
    end
    server.wait_for(/\b#{still}\b.*(killed|kept up)/)
    expect(reader_of_each(server, 2).keys).not_to include(still)
  end
end
