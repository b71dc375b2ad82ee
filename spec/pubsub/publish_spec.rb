# frozen_string_literal: true

require_relative 'cluster_app'

RSpec.describe 'Iodine.publish' do
  listen = "Iodine.subscribe(:news) { |_, message| log('heard', message) }\n"

  it 'works in the root: in its states, tasks and threads' do
    boot_cluster(<<~RUBY)
      #{listen}
      say = ->(what) { Iodine.publish(:news, what) }
      Iodine.on_state(:on_child_crush) { say['crush'] }
      Iodine.run_after(1) { say['timer'] unless Iodine.worker? }
      Iodine.run { say['task'] unless Iodine.worker? }
      Iodine.on_state(:start_shutdown) { say['shutdown'] unless Iodine.worker? }
      Iodine.run { Thread.new { say['thread'] } unless Iodine.worker? }
    RUBY
    %w[timer task thread].each { |what| note(/root heard #{what}/) }
    Process.kill(:KILL, @server.children.first)
    note(/worker heard crush/)
    note(/root heard crush/)
    note(/ up$/, 3)
    @server.kill
    note(/worker heard shutdown/, 2)
  end

  it 'works in a trap, in the root and in a worker' do
    boot_cluster("#{listen}trap(:USR2) { Iodine.publish(:news, \"trap in \#{role}\") }")
    pids = puppets.keys
    Process.kill(:USR2, @server.pid)
    note(/heard trap in root/, 3)
    Process.kill(:USR2, pids.first)
    note(/heard trap in worker/, 3)
    expect(@server.stderr).not_to match(/ThreadError|ERROR/)
  end

  it 'works in any thread, at once' do
    boot_cluster(listen)
    puppet.run("Thread.new { Iodine.publish(:news, 'thread') }.join; nil")
    note(/heard thread/, 3)
  end

  it 'reaches whom its engine says' do
    boot_cluster(listen)
    one, = pids = puppets.to_a.first
    say = ->(what, engine) { pids.last.run("Iodine.publish(:news, '#{what}', #{engine})") }
    { 'all' => 'nil', 'cluster' => 'Iodine::PubSub::CLUSTER', 'siblings' => 'Iodine::PubSub::SIBLINGS',
      'process' => 'Iodine::PubSub::PROCESS', 'false' => 'false', 'root' => 'Iodine::PubSub::PUBLISH2ROOT' }
      .each { |what, engine| expect(say[what, engine]).to eq('true') }
    say['end', 'nil']
    note(/heard end/, 3)
    heard = noted(/heard/).map { |line| [line.to_i, line[/\w+$/]] }.group_by(&:last).transform_values { |all| all.map(&:first) }
    others = [@server.pid, *@server.children] - [one]
    expect(heard['all']).to match_array(heard['end'])
    expect(heard['cluster']).to contain_exactly(one, *others)
    expect(heard['siblings']).to match_array(others)
    expect(heard.values_at('process', 'false')).to eq([[one], [one]])
    expect(heard['root']).to eq([@server.pid])
  end

  it 'takes its engines as publishers, too' do
    boot_cluster(listen)
    puppet.run("Iodine::PubSub::CLUSTER.publish(:news, 'one')")
    note(/heard one/, 3)
  end

  it 'in a single process reaches it but as a sibling' do
    boot_cluster(listen, workers: 1)
    one = puppet
    %w[CLUSTER PROCESS SIBLINGS PUBLISH2ROOT].each do |engine|
      expect(one.run("Iodine.publish(to: :news, message: '#{engine}', engine: Iodine::PubSub::#{engine})")).to eq('true')
    end
    one.run("Iodine.publish(to: 'news', message: 'end')")
    note(/heard end/)
    expect(noted(/heard/).map { |line| line[/\w+$/] }).to eq(%w[CLUSTER PROCESS PUBLISH2ROOT end])
  end

  it 'refuses what makes no sense, and what is too long for other processes' do
    boot_cluster('', workers: 1)
    one = puppet
    {
      'Iodine.publish(:a, 1)' => 'TypeError: a message must be a String, not Integer: use to_s or JSON',
      "Iodine.publish(1, 'a')" => "TypeError: a channel's name must be a String or a Symbol, not Integer",
      "Iodine.publish(nil, 'a')" => 'ArgumentError: the name of a channel is missing',
      'Iodine.publish(:a, nil)' => 'ArgumentError: the message is missing',
      "Iodine.publish(:a, 'x' * ((16 << 20) + 1))" => 'ArgumentError: a message for other processes is at most 16 MB, not 16777217 bytes',
      "Iodine.publish('x' * 65_537, 'x')" => "ArgumentError: a channel's name is at most 65536 bytes, not 65537",
      "Iodine.publish(:a, 'x' * (16 << 20))" => 'true',
      "Iodine.publish(:a, 'x' * ((16 << 20) + 1), false)" => 'true'
    }.each { |code, answer| expect(one.run(code)).to eq(answer) }
  end

  it 'does nothing in a process that the application forks, nor does that hold up the cluster' do
    boot_cluster(listen)
    first, second = puppets.values
    first.run("Process.wait(fork { Iodine.publish(:news, 'fork'); exit!(0) }); nil")
    first.run('$left = fork { sleep }')
    Process.kill(:KILL, first.run('Process.pid').to_i)
    note(/ up$/, 3)
    second.run("Iodine.publish(:news, 'end')")
    note(/heard end/, 3)
    expect(noted(/heard fork/)).to be_empty
  end

  it 'is heard from a worker that stops right after' do
    boot_cluster("#{listen}Iodine.on_state(:start_shutdown) { 100.times { Iodine.publish(:news, \"bye \#{role}\") } if Iodine.worker? }")
    Process.kill(:TERM, puppets.keys.first)
    note(/root heard bye worker/, 100)
  end
end
