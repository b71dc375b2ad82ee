# frozen_string_literal: true

RSpec.describe 'A status dump' do
  app = <<~'RUBY'
    def take_a_nap = sleep(2)
    run(lambda do |env|
      take_a_nap if env['PATH_INFO'] == '/nap'
      [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
    end)
  RUBY

  signals = %w[TTIN INFO].select { |name| Signal.list.key?(name) }

  def nap
    dial(timeout: 10).write("GET /nap HTTP/1.1\r\nhost: x\r\n\r\n")
  end

  signals.each do |signal|
    it "of all processes comes with #{signal} to the root" do
      @server = boot(app, '-w', '2', '-t', '2', lint: false)
      workers = eventually { @server.children.then { |pids| pids if pids.size == 2 } }
      naps = Array.new(2) { nap }
      whole = [/^WARNING: root #{@server.pid}: 0 of 1 threads at work/]
      whole += workers.map { |pid| /^WARNING: process #{pid}: \d of 2 threads at work, \d+ jobs wait, \d+ connections$/ }
      eventually(within: 20) { @server.kill(signal) && whole.all? { |line| @server.stderr.match?(line) } } # once they are up
      @server.wait_for(/^WARNING: thread main \(run\)\n(?:\t.*\n)*\t.*cluster\.rb/)
      naps.each { |client| expect(client.receive.status).to eq(200) }
      expect(@server.children).to match_array(workers)
    end
  end

  it 'shows what a thread is at' do
    @server = boot(app, '-w', '1', '-t', '2', lint: false)
    client = nap
    eventually do
      @server.kill(:TTIN)
      @server.wait_for(/^WARNING: process #{@server.pid}: /)
      # The first dump may come before the request, or in the middle of its begin.
      [/^WARNING: thread iodine \d \(sleep\)\n(?:\t.*\n)*\t.*take_a_nap/,
       /: 1 of 2 threads at work, 0 jobs wait, 1 connections$/].all? { |line| @server.stderr.match?(line) }
    end
    expect(client.receive.status).to eq(200)
  end
end
