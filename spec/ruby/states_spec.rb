# frozen_string_literal: true

RSpec.describe 'Iodine.on_state' do
  let(:states) do
    %i[pre_start before_fork after_fork enter_child enter_master on_start start_shutdown on_finish on_parent_crush
       on_child_crush]
  end

  let(:journal) { write_file(work_dir, 'journal', '') }

  # A script that notes each state with the process that saw it, and serves until it is stopped.
  def script(workers)
    <<~RUBY
      def note(state) = File.write(#{journal.inspect}, "\#{state} \#{Process.pid}\\n", mode: 'a')
      #{states.inspect}.each { |state| Iodine.on_state(state) { note(state) } }
      Iodine.threads = 1
      Iodine.workers = #{workers}
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
      Iodine.start
    RUBY
  end

  # Process => the states it saw, in order.
  def notes
    File.readlines(journal).map(&:split).group_by { |_, pid| pid.to_i }.transform_values { |all| all.map { |state, _| state.to_sym } }
  end

  it 'gives back the block' do
    expect(ruby_output('block = proc {}; p Iodine.on_state(:on_start, &block).equal?(block)')).to eq("true\n")
  end

  it 'refuses an unknown state' do
    out = ruby_output('begin; Iodine.on_state(:on_lunch) {}; rescue TypeError => e; puts e.message; end')
    expect(out).to match(/:on_lunch.*:pre_start/)
  end

  it 'runs the blocks of one process in order' do
    server = boot_script(script(1))
    expect(server.get.status).to eq(200)
    server.kill
    server.wait
    expect(notes).to eq(server.pid => %i[pre_start on_start start_shutdown on_finish])
  end

  it 'runs the blocks of root and workers in order' do
    server = boot_script(script(2))
    eventually { notes.values.flatten.count(:on_start) == 2 }
    server.kill
    server.wait
    forks = %i[before_fork after_fork enter_master] * 2
    expect(notes.delete(server.pid)).to eq([:pre_start, *forks, :start_shutdown, :on_finish])
    workers = notes.reject { |pid, _| pid == server.pid }.values
    expect(workers).to eq([%i[after_fork enter_child on_start start_shutdown on_finish]] * 2)
  end

  it 'runs several blocks of a state in the order they were given' do
    out = ruby_output(<<~RUBY)
      2.times { |i| Iodine.on_state(:pre_start) { print i } }
      Iodine.on_state(:on_start) { Iodine.stop }
      Iodine.workers = 1
      Iodine.start
    RUBY
    expect(out).to eq('01')
  end

  it 'stops the start with the message of an exception in :pre_start' do
    code = 'Iodine.on_state(:pre_start) { raise "no coffee" }; Iodine.workers = 1
            begin; Iodine.start; rescue RuntimeError => e; puts e.message, Iodine.running?; end'
    expect(ruby_output(code)).to eq("no coffee\nfalse\n")
  end

  it 'logs an exception in another state, and goes on' do
    out, err, status = run_ruby(<<~RUBY)
      Iodine.workers = 1
      Iodine.on_state(:on_start) { raise 'no tea' }
      Iodine.on_state(:on_start) { print 'second'; Iodine.stop }
      Iodine.start
    RUBY
    expect([out, status.success?]).to eq(['second', true])
    expect(err).to match(/ERROR: on_state\(:on_start\): no tea \(RuntimeError\)/)
  end

  it 'knows the old names, with a warning each, once' do
    out, err, = run_ruby(<<~RUBY)
      %i[before_fork after_fork after_fork_in_worker after_fork_in_master on_shutdown].each { |name| 2.times { Iodine.public_send(name) {} } }
      on_worker_boot {}
      on_worker_fork {}
      on_shutdown { print 'finished' }
      Iodine.on_state(:on_start) { Iodine.stop }
      Iodine.workers = 1
      Iodine.start
    RUBY
    expect(out).to eq('finished')
    expect(err.lines.grep(/WARNING/).size).to eq(7)
    expect(err).to match(/on_worker_boot.*:enter_child/).and match(/on_worker_fork.*:before_fork/)
  end
end
