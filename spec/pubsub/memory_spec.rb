# frozen_string_literal: true

require_relative 'cluster_app'

RSpec.describe 'Pub/sub in a cluster' do
  def rss(pid)
    File.read("/proc/#{pid}/status")[/^VmRSS:\s*(\d+)/, 1].to_i * 1024
  end

  def sockets(pid)
    Dir["/proc/#{pid}/fd/*"].count do |fd|
      File.readlink(fd).start_with?('socket:')
    rescue Errno::ENOENT
      false
    end
  end

  it 'leaves memory flat, in the root and in the workers' do
    boot_cluster(<<~RUBY)
      require 'fiddle'
      TRIM = Fiddle::Function.new(Fiddle::Handle::DEFAULT['malloc_trim'], [Fiddle::TYPE_SIZE_T], Fiddle::TYPE_INT)
      $heard = 0
      Iodine.subscribe(:news) do |_, message|
        next $heard += 1 unless message == 'sum'

        GC.start
        TRIM.call(0) # what the C library keeps for itself is nobody's leak
        log('heard', $heard)
      end
    RUBY
    one = puppet
    pids = [@server.pid, *@server.children]
    sizes = Array.new(6) do |round|
      one.run("text = 'x' * 3000; 15_000.times { |n| Iodine.publish(:news, text[0, n % 3000]) }")
      one.run("Iodine.publish(:news, 'sum')")
      note(/heard #{(round + 1) * 15_000}$/, 3, within: 60)
      pids.map { |pid| rss(pid) }
    end
    # One that publishes swings by 20 MB, since its heap has holes; a leak of each round's 22 MB of messages would show.
    before, after = [sizes.first(3), sizes.last(3)].map { |rounds| rounds.transpose.map(&:min) }
    expect(after.zip(before).map { |late, early| late - early }).to all(be < (10 << 20) * Support::Deadline::SLOWER)
  end

  it 'leaves no descriptor of a worker that is gone, in the root or in others' do
    boot_cluster('')
    before = @server.descriptors
    pids = puppets.keys
    Process.kill(:KILL, pids.first)
    note(/ up$/, 3)
    eventually { @server.descriptors == before }
    fresh = @server.children - pids
    eventually { fresh.map { |pid| sockets(pid) + 1 } == [sockets(pids.last)] } # that has a puppet
  end
end
