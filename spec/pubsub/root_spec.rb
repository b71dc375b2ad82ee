# frozen_string_literal: true

require_relative 'cluster_app'

# What an engine has to have that works in the root for all processes.
RSpec.describe 'Iodine::PubSub::Root' do
  engine = <<~'RUBY'
    class Post < Iodine::PubSub::Engine
      def told(payload) = log('told', payload)
      def asked(payload)
        raise 'on purpose' if payload == 'raise'
        return if payload == 'never'
        yield "#{payload} in #{role}"
        yield 'twice'
      end
    end
    POST = Post.new
    ROOT = Iodine::PubSub::Root
  RUBY

  it 'tells the root\'s engine, in the order of each process' do
    boot_cluster(engine)
    puppets.values.each_with_index { |one, who| one.run("300.times { |n| ROOT.tell(POST, \"#{who}:\#{n}\") }") }
    told = note(/root told/, 600).map { |line| line[/\d:\d+/] }
    2.times { |who| expect(told.grep(/^#{who}/)).to eq(Array.new(300) { |n| "#{who}:#{n}" }) }
    expect(noted(/worker told/)).to be_empty
  end

  it 'asks it, and gives the answer to who asked' do
    boot_cluster(engine)
    puppets.each { |pid, one| one.run("ROOT.ask(POST, 'from #{pid}') { |reply| log('got', reply) }") }
    got = note(/got/, 2)
    expect(got).to match_array(@server.children.map { |pid| "#{pid} worker got from #{pid} in root" })
  end

  it 'answers nil where there is no answer' do
    boot_cluster(engine)
    one = puppet
    one.run("ROOT.ask(POST, 'raise') { |reply| log('got', reply.inspect) }")
    note(/got nil/)
    @server.wait_for('ERROR: Post#asked: on purpose (RuntimeError)')
    one.run("ROOT.ask(Post.new, 'x') { |reply| log('new', reply.inspect) }")
    note(/new nil/)
    one.run("ROOT.ask(Iodine::PubSub::Engine.new, 'x') { |reply| log('plain', reply.inspect) }")
    note(/plain nil/)
    one.run("ROOT.tell(Post.new, 'x')")
    @server.wait_for('engines must be made before the start')
  end

  it 'answers nil when the root dies' do
    boot_cluster("#{engine}Iodine.on_state(:on_parent_crush) { ROOT.ask(POST, 'late') { |reply| log('late', reply.inspect) } }")
    one = puppet
    one.run("ROOT.ask(POST, 'never') { |reply| log('got', reply.inspect) }")
    @server.kill(:KILL)
    note(/got nil/)
    note(/late nil/, 2)
  end

  [1, 2].each do |workers|
    it "does so within the root, with #{workers} workers" do
      boot_cluster(<<~RUBY, workers: workers)
        #{engine}
        Iodine.on_state(:on_start) { ROOT.tell(POST, 'early') }
        Iodine.run { ROOT.ask(POST, 'x') { |reply| log('got', reply) } if Iodine.master? }
        ROOT.tell(POST, 'before')
      RUBY
      note(/told before/)
      note(/told early/, workers)
      note(/got x in (root|worker)/)
    end
  end

  it 'takes bytes up to 16 MB' do
    boot_cluster(engine)
    one = puppet
    expect(one.run("ROOT.tell(POST, 'x' * ((16 << 20) + 1))")).to eq('ArgumentError: too many bytes, or processes, for a command for the root')
    expect(one.run('ROOT.ask(POST, "\xff\0") { |reply| log("got", reply.bytes.first(2), reply.encoding) }')).to eq('nil')
    note(/got 255 0 ASCII-8BIT/)
  end
end
