# frozen_string_literal: true

require 'open3'

# One cluster in a process of its own, as far as its Redis is concerned: an engine that does what it is told, and tells
# what it delivers.
class Peer
  PROGRAM = <<~'RUBY'
    require 'iodine'
    $stdin.binmode
    out = $stdout.dup.binmode
    lock = Mutex.new
    say = ->(*words) { lock.synchronize { Marshal.dump(words, out).flush } }
    Iodine.define_singleton_method(:running?) { true } # as in a server: nothing blocks
    engine = Iodine::PubSub::Redis.new(ARGV[0], ping: ARGV[1].to_i)
    engine.define_singleton_method(:deliver) { |channel, message| say.call(:heard, channel, message) }
    loop do
      name, *arguments = Marshal.load($stdin)
      case name
      when :cmd
        engine.cmd(*arguments) { |reply| say.call(:reply, reply.is_a?(Exception) ? [reply.class.name, reply.message] : reply) }
      when :subscribe_all then arguments.each { |name| engine.subscribe(name) }
      when :publish then arguments.drop(1).each { |message| engine.publish(arguments.first, message) }
      else engine.public_send(name, *arguments)
      end
      say.call(:done)
    rescue EOFError
      exit
    end
  RUBY

  # @param ruby [Array<String>] finds this checkout's iodine
  # @param log [String] a file
  # @param ping [Integer] seconds
  def initialize(ruby, url, log, ping: 0, env: {})
    @log = log
    @in, @out, @thread = Open3.popen2(env, *ruby, '-e', PROGRAM, url, ping.to_s, err: log)
    @heard = []
    @done = Thread::Queue.new
    @replies = Thread::Queue.new
    @reader = Thread.new { read }
  end

  # Calls a method of the engine, and returns when it is done.
  def tell(*words)
    Marshal.dump(words, @in)
    @in.flush
    @done.pop
  end

  def subscribe(*names)
    tell(:subscribe_all, *names)
  end

  def publish(channel, *messages)
    tell(:publish, channel, *messages)
  end

  # @return [Object] the reply
  def cmd(*words)
    tell(:cmd, *words)
    reply
  end

  # The next reply to a command.
  def reply
    @replies.pop
  end

  # As if it had heard nothing.
  def forget
    @heard.clear
  end

  # @return [Array<Array(String, String)>] channels and messages, as they were delivered
  def heard
    @heard.dup
  end

  # What it heard on a channel.
  def messages(channel)
    heard.filter_map { |name, message| message if name == channel }
  end

  def log
    File.read(@log, encoding: Encoding::UTF_8)
  end

  def pid
    @thread.pid
  end

  # Lets it end by itself.
  def finish
    @in.close
    @thread.value
  end

  def kill
    begin
      Process.kill(:KILL, pid) if @thread.alive?
    rescue Errno::ESRCH
      nil
    end
    @thread.join
    [@in, @out].each(&:close)
    @reader.join
  end

  # For groups of examples.
  module Helper
    # A cluster that is gone after the example.
    def peer(url, **options)
      made = Peer.new(ruby, url, File.join(work_dir, 'log'), **options)
      cleanups << -> { made.kill }
      made
    end

    # Subscribes, and returns when Redis knows it and what is published comes back.
    def subscribed(redis, peer, *names)
      own = "ready #{peer.pid}"
      peer.subscribe(*names, own)
      eventually { redis.subscribers(own) == 1 }
      peer.publish(own, 'ready')
      eventually { peer.messages(own).any? }
      peer.forget
      peer
    end
  end

  private

  def read
    loop do
      kind, *rest = Marshal.load(@out) # rubocop:disable Security/MarshalLoad
      case kind
      when :heard then @heard << rest
      when :reply then @replies << rest.first
      else @done << kind
      end
    end
  rescue IOError # it has ended
    @done.close
    @replies.close
  end
end
