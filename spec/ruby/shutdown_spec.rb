# frozen_string_literal: true

RSpec.describe 'the graceful stop' do
  let(:sleepy) { <<~RUBY }
    run(lambda do |env|
      File.write(env['QUERY_STRING'], 'begun') unless env['QUERY_STRING'].empty?
      sleep env['PATH_INFO'].delete('/').to_f
      [200, { 'content-type' => 'text/plain' }, ['done']]
    end)
  RUBY

  let(:mark) { File.join(work_dir, 'begun') }

  # A request that the application has begun.
  def begin_request(server, seconds)
    client = server.client(timeout: 15)
    client.write("GET /#{seconds}?#{mark} HTTP/1.1\r\nhost: x\r\n\r\n")
    eventually { File.exist?(mark) }
    client
  end

  [1, 2].each do |workers|
    context "with #{workers} worker(s)" do
      %i[TERM INT].each do |signal|
        it "answers what was begun after #{signal}" do
          server = boot(sleepy, '-w', workers.to_s, '-t', '2', lint: false)
          client = begin_request(server, 0.5)
          server.kill(signal)
          response = client.receive
          expect([response.status, response.body]).to eq([200, 'done'])
          expect(server.wait.exitstatus).to eq(0)
          expect(server.stderr).not_to match(/cut off|killed/)
        end
      end

      it 'says what it cut off after --shutdown-timeout' do
        server = boot(sleepy, '-w', workers.to_s, '-t', '2', '--shutdown-timeout', '1', lint: false)
        begin_request(server, 20)
        server.kill
        server.wait(timeout: 8)
        expect(server.stderr).to match(/^WARNING: 1 request was cut off after 1 s: raise shutdown-timeout/)
      end

      it 'ends at once at the second signal' do
        server = boot(sleepy, '-w', workers.to_s, '-t', '2', lint: false)
        begin_request(server, 20)
        server.kill(:INT)
        sleep 0.3
        expect(server.exited?).to be(false)
        server.kill(:INT)
        server.wait(timeout: 6)
        expect(server.stderr).to match(/^WARNING: 1 request was cut off as asked/)
      end

      it 'refuses connections meanwhile' do
        server = boot(sleepy, '-w', workers.to_s, '-t', '2', lint: false)
        client = begin_request(server, 1)
        server.kill
        eventually do
          server.client.close
          false
        rescue Errno::ECONNREFUSED, Errno::ECONNRESET
          true
        end
        expect(client.receive.status).to eq(200)
      end
    end
  end

  it 'closes idle connections' do
    server = boot(sleepy, '-w', '1', '-t', '1', lint: false)
    client = server.client
    expect(client.get('/0').status).to eq(200)
    server.kill
    server.wait(timeout: 5)
  end
end
