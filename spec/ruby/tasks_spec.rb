# frozen_string_literal: true

RSpec.describe 'tasks and timers' do
  # Runs the code in a process that serves with one thread until the code says Iodine.stop, or for 10 seconds.
  def serve(code)
    ruby_output(<<~RUBY)
      $stdout.sync = true
      Iodine.verbosity = 1
      Iodine.threads = Iodine.workers = 1
      Iodine.run_after(10_000) { Iodine.stop }
      #{code}
      Iodine.start
    RUBY
  end

  it 'runs a block soon, set before the start' do
    expect(serve('Iodine.run { print 1 }; Iodine.defer { print 2 ; Iodine.stop }')).to eq('12')
  end

  it 'runs a block soon, set while it runs' do
    expect(serve('Iodine.on_state(:on_start) { Iodine.run { Iodine.run { print 1; Iodine.stop } } }')).to eq('1')
  end

  it 'gives back the block' do
    out = ruby_output(<<~RUBY)
      block = proc {}
      given = [Iodine.run(&block), Iodine.run_after(1, &block), Iodine.run_every(1, 1, &block), Iodine.on_idle(&block)]
      p given.all? { |it| it.equal?(block) }
    RUBY
    expect(out).to eq("true\n")
  end

  it 'runs timers in the order of their times' do
    expect(serve('Iodine.run_after(60) { print 2; Iodine.stop }; Iodine.run_after(20) { print 1 }')).to eq('12')
  end

  it 'repeats a timer as often as told' do
    expect(serve('Iodine.run_every(5, 3) { print :a }; Iodine.run_after(300) { Iodine.stop }')).to eq('aaa')
  end

  it 'repeats a timer until it returns :stop' do
    code = 'n = 0; Iodine.run_every(5) { print n += 1; n == 3 ? :stop : nil }; Iodine.run_after(300) { Iodine.stop }'
    expect(serve(code)).to eq('123')
  end

  it 'goes on with a timer that failed' do
    expect(serve('n = 0; Iodine.run_every(5) { print n += 1; n == 3 ? Iodine.stop : raise("no") }')).to start_with('123')
  end

  it 'cancels a timer' do
    code = <<~RUBY
      timer = Iodine.run_every(5) { print :never }
      p Iodine.cancel(timer)
      timer = nil
      n = 0
      timer = Iodine.run_every(5) { (n += 1) == 2 and Iodine.run { p Iodine.cancel(timer), Iodine.cancel(timer); n = 0; Iodine.run_after(100) { p n; Iodine.stop } } }
    RUBY
    expect(serve(code)).to eq("true\ntrue\nfalse\n0\n")
  end

  it 'has nothing to cancel once a timer is over' do
    code = <<~RUBY
      timer = Iodine.run_after(1) { Iodine.run_after(50) { p Iodine.cancel(timer), Iodine.cancel(proc {}); Iodine.stop } }
    RUBY
    expect(serve(code)).to eq("false\nfalse\n")
  end

  it 'refuses what is no Integer' do
    ['run_after("1")', 'run_after(1.5)', 'run_every(nil)', 'run_every(1, "2")'].each do |call|
      expect(ruby_output("begin; Iodine.#{call} {}; rescue TypeError; print :refused; end")).to eq('refused'), call
    end
  end

  it 'refuses negative numbers and missing blocks' do
    ['run_after(-1) {}', 'run_every(1, -1) {}', 'run_after(1)', 'run', 'on_idle'].each do |call|
      expect(ruby_output("begin; Iodine.#{call}; rescue ArgumentError; print :refused; end")).to eq('refused'), call
    end
  end

  it 'runs on_idle once, when there is nothing else to do' do
    code = 'Iodine.on_idle { print :idle; Iodine.run_after(50) { Iodine.stop } }; 3.times { Iodine.run { print 1 } }'
    expect(serve(code)).to eq('111idle')
  end

  it 'runs what was set before the start in the root and in each of the first workers, not in later ones' do
    journal = File.join(work_dir, 'journal')
    server = boot_script(<<~RUBY)
      note = ->(what) { File.open(#{journal.inspect}, 'a') { |file| file.syswrite("\#{what} \#{Process.pid}\\n") } }
      Iodine.threads = 1
      Iodine.workers = 2
      Iodine.run { note.call(:run) }
      Iodine.run_after(10) { note.call(:after) }
      Iodine.on_state(:on_start) { note.call(:start) }
      Iodine.listen(service: :http, address: '127.0.0.1') { [200, {}, ['ok']] }
      Iodine.start
    RUBY
    File.write(journal, '')
    seen = ->(what) { File.readlines(journal).grep(/\A#{what} /).map { |line| line.split.last.to_i } }
    eventually { seen.call(:after).size == 3 }
    first = server.children
    expect(seen.call(:run)).to match_array([server.pid, *first])
    expect(seen.call(:after)).to match_array([server.pid, *first])
    Process.kill(:KILL, first.first)
    eventually { seen.call(:start).size == 3 }
    sleep 0.2
    expect(seen.call(:run).size).to eq(3)
    expect(seen.call(:after).size).to eq(3)
  end
end
