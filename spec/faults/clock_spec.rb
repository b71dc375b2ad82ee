# frozen_string_literal: true

require 'time'

# The wall clock jumps, by libfaketime (FAKETIME_DONT_FAKE_MONOTONIC=1, as the kernel does it): all that waits goes by
# the monotonic one.
RSpec.describe 'A clock that jumps' do
  day = 86_400

  app = <<~'RUBY'
    ticks = 0
    Iodine.run_every(50) { ticks += 1 }
    run(lambda do |env|
      sleep 1 if env['PATH_INFO'] == '/slow'
      [200, { 'content-type' => 'text/plain' }, [[Process.pid, ticks].join(' ')]]
    end)
  RUBY

  before(:context) do
    @time = Support::FakeTime.new(File.join(work_dir, 'time'))
    @server = boot(app, '-w', '2', '-t', '2', '-k', '20', '--head-timeout', '3', '--worker-timeout', '3', '--no-preload',
                   lint: false, env: @time.environment)
    @workers = eventually { @server.children.then { |pids| pids if pids.size == 2 } }
  end

  def ticks(client)
    client.get.body.split.last.to_i
  end

  { 'by a day' => day, 'back by a day' => -day, 'back to the truth' => 0 }.each do |name, seconds|
    it "#{name} disturbs neither timers nor connections, and kills no worker" do
      kept = dial(timeout: 20).tap(&:get)
      slow = dial(timeout: 20).write("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
      before = ticks(kept)
      @time.jump(seconds)
      answer = eventually(within: 10) do # Ruby formats a date once a second
        response = kept.get
        response if ((Time.httpdate(response['date']) - Time.now) - seconds).abs < 60
      end
      expect(answer.status).to eq(200)
      expect(slow.receive.status).to eq(200)
      eventually { ticks(kept) > before + 20 }
      expect(kept.closed_by_peer?(0.5)).to be(false)
      expect(@server.children).to match_array(@workers)
      expect(@server.stderr).not_to match(/ERROR|sick/)
    end
  end

  it 'leaves the limits of time as they are' do
    @time.jump(day)
    client = dial(timeout: 20).write('GET / HT')
    @time.jump(-day)
    expect(client.receive.status).to eq(408)
  end
end
