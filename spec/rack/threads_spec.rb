# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'the application threads' do
  extend RackApp

  rack_app <<~'RUBY', threads: 2
    Iodine::DEFAULT_SETTINGS[:timeout] = 8 # a deadline of the connection must not be what wakes the server
    seen = Queue.new
    text = { 'content-type' => 'text/plain' }
    forked = Queue.new
    later = Object.new
    def later.call(stream)
      Thread.new { sleep 0.5; stream.write('late'); stream.close }
    end
    lambda do |env|
      case env['PATH_INFO']
      when '/later' then [200, text, later]
      when '/sleep' then sleep 1; [200, text, ['slept']]
      when '/cpu' then [200, text, [Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID).to_s]]
      when '/idle' then Thread.new { sleep 0.3; Iodine.on_idle { seen << true } }; [200, text, ['soon']]
      when '/seen' then [200, text, [seen.size.to_s]]
      else [200, text, ['x']]
      end
    end
  RUBY

  it 'are woken for the request behind a response that another thread ends' do
    client = dial
    began = Support::Deadline.now
    client.write("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    expect([client.receive.body, client.receive.body]).to eq(%w[late x])
    expect(Support::Deadline.now - began).to be < 3
  end

  it 'are woken for on_idle where there is nothing to do' do
    get('/idle')
    sleep 1
    expect(get('/seen').body).to eq('1')
  end

  # The stand-in sleeps while a job sleeps and another thread waits in the poll. It came to that only by chance.
  it 'cost nothing while they wait' do
    spent = Array.new(4) do
      sleeper = dial.write("GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n")
      row = dial
      2.times do
        row.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 30)
        sleep 0.02
      end
      before = Float(get('/cpu').body)
      sleeper.receive
      Float(get('/cpu').body) - before
    end
    expect(spent.max).to be < 0.3
  end
end

RSpec.describe 'a process that the application forks' do
  extend RackApp

  rack_app <<~'RUBY', threads: 1
    require 'tempfile'
    $calls = Tempfile.new('calls')
    lambda do |env|
      if env['PATH_INFO'] == '/fork'
        File.write($calls.path, 'x', mode: 'a')
        sleep 0.2
        fork
      end
      [200, { 'content-type' => 'text/plain' }, [File.size($calls.path).to_s]]
    end
  RUBY

  it 'serves none of the requests that wait, also when it goes on' do
    clients = Array.new(3) { dial.write("GET /fork HTTP/1.1\r\nHost: x\r\n\r\n") }
    clients.each(&:receive)
    sleep 0.5
    expect(get('/calls').body).to eq('3')
  end
end
