# frozen_string_literal: true

# What the thread that decides waits for.
RSpec.describe 'Events' do
  # The program is sent a signal as soon as it has answered the one before, 5,000 times: just when its main thread is about
  # to wait again, beside others that want to run.
  it 'are heard when traps push them, whenever a signal comes' do
    expect(ruby_output(<<~RUBY)).to eq('5000')
      require 'io/wait'
      events = Iodine.const_get(:Events).new
      trap('USR1') { events << :signal }
      6.times { Thread.new { loop { 500.times { 1 + 1 } && sleep(0.00001) } } }
      heard, answer = IO.pipe
      judge = fork do
        print((1..5000).count { Process.kill(:USR1, Process.ppid) && heard.wait_readable(5) && heard.read(1) })
        $stdout.flush
        exit!
      end
      Thread.new { Process.wait(judge).then { events << :over } }
      answer.write('!') while events.pop == :signal
    RUBY
  end

  it 'keep their order' do
    out = ruby_output('events = Iodine.const_get(:Events).new; 3.times { |n| events << n }; p(Array.new(3) { events.pop })')
    expect(out).to eq("[0, 1, 2]\n")
  end
end
