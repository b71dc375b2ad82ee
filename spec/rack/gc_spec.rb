# frozen_string_literal: true

require_relative 'rack_app'

module GarbageCollectionApp
  SOURCE = <<~'RUBY'
    lambda do |env|
      body =
        case env['PATH_INFO']
        when '/each' then Enumerator.new { |out| 3.times { |n| out << "part #{n}" } }
        when '/long' then ['l' * 200_000, 'm' * 200_000]
        when '/input' then [env['rack.input'].read(3).to_s, env['rack.input'].gets.to_s, env['rack.input'].read]
        when '/raise' then raise 'on purpose'
        when '/stream' then ->(stream) { stream.write('streamed'); stream.close }
        when '/hints' then env['rack.early_hints'].call('link' => '</a>'); ['hinted']
        when '/hijack'
          io = env['rack.hijack'].call
          io.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
          io.close
          []
        else [env['HTTP_X_LONG_UNKNOWN_HEADER'].to_s, env['HTTP_HOST']]
        end
      env['rack.response_finished'] << ->(*) { Array.new(3) { 'garbage' } }
      [200, { 'content-type' => 'text/plain', 'x-list' => %w[a b] }, body]
    end
  RUBY
end

{ 'under GC.stress' => ["require 'socket'; GC.stress = true", 1],
  'while the GC compacts' => ['GC.auto_compact = true; Thread.new { loop { GC.start; GC.compact; sleep 0.002 } }', 6] }
  .each do |name, (setup, rounds)|
  RSpec.describe "serving #{name}" do
    extend RackApp

    rack_app GarbageCollectionApp::SOURCE, lint: false, threads: 2, setup: setup

    it 'gives the same answers' do
      rounds.times do
        client = dial(timeout: 30)
        host = "h#{rand(1000)}.example"
        expect(client.get('/', 'host' => host, 'x-long-unknown-header' => 'v' * 50).body).to eq("#{'v' * 50}#{host}")
        expect(client.get('/each').chunks).to eq(['part 0', 'part 1', 'part 2'])
        expect(client.get('/long').body).to eq(('l' * 200_000) + ('m' * 200_000))
        expect(client.request('POST', '/input', body: "abcdef\nrest").body).to eq("abcdef\nrest")
        in_file = "abcdef\n#{'r' * 150_000}"
        expect(client.request('POST', '/input', body: in_file).body).to eq(in_file)
        expect(client.get('/raise').status).to eq(500)
        expect(client.get('/stream').body).to eq('streamed')
        client.write("GET /hints HTTP/1.1\r\nHost: x\r\n\r\n")
        expect([client.receive.status, client.receive.body]).to eq([103, 'hinted'])
        expect(client.get('/hijack').body).to eq('hi')
      end
    end
  end
end
