# frozen_string_literal: true

# What an application thread has published or written, and then waits.
RSpec.describe 'A message of a job that goes on' do
  app = <<~'RUBY'
    GO = Thread::Queue.new

    class Listener
      def on_open(client) = client.subscribe('news')
    end

    run(lambda do |env|
      case env['PATH_INFO']
      when '/listen' then env['rack.upgrade'] = Listener.new
      when '/go' then GO << true
      else
        GO.pop # by now the job is a long one
        Iodine.publish('news', env['PATH_INFO'])
        GO.pop
      end
      [200, {}, []]
    end)
  RUBY

  it 'is there before the job ends' do
    server = boot(app, '-w', '1', '-t', '4', lint: false)
    socket = Support::WebSocket.new(dial(server), '/listen')
    5.times do |number|
      client = dial(server).write("GET /#{number} HTTP/1.1\r\nhost: x\r\n\r\n")
      server.get('/go')
      expect(socket.receive).to eq("/#{number}")
      server.get('/go')
      expect(client.receive.status).to eq(200)
    end
  end
end
