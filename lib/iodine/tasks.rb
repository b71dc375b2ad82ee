# frozen_string_literal: true

# Tasks and timers.
module Iodine
  # Blocks that run on an application thread of this process: soon, later, again and again, or when it is idle. Until
  # there is a server to run them they wait.
  # @api private
  module Tasks
    # One call of run_after or run_every.
    class Timer
      attr_reader :block

      def initialize(milliseconds, times, block)
        @milliseconds = milliseconds
        @times = times
        @left = times
        @block = block
      end

      def schedule(server)
        @id = server.timer(@milliseconds, @times) { fire }
      end

      def cancel(server)
        server.cancel(@id)
      end

      private

      # A timer that is over must not be kept, nor one that its block ends, also when the block fails.
      def fire
        result = @block.call
      ensure
        Tasks.forget(self) if result == :stop || (@left -= 1).zero?
      end
    end

    # One call of run or on_idle.
    Once = Struct.new(:name, :block) do
      def schedule(server)
        server.public_send(name, &block)
      end
    end

    @lock = Mutex.new
    @waiting = []
    @timers = []
    @server = nil

    class << self
      def add(task)
        @lock.synchronize { @server ? begin_task(task) : @waiting << task }
        task.block
      end

      # True when it was there and will not run again.
      def cancel(block)
        @lock.synchronize do
          waiting = @waiting.reject! { |task| task.block.equal?(block) }
          over, @timers = @timers.partition { |timer| timer.block.equal?(block) }
          over.map { |timer| timer.cancel(@server) }.any? || !waiting.nil?
        end
      end

      def forget(timer)
        @lock.synchronize { @timers.delete(timer) }
      end

      # Takes what waits: it is to run in each of several processes.
      def take
        @lock.synchronize { @waiting.slice!(0..) }
      end

      # From now on the server runs them, first the planned ones and what waits.
      def attach(server, planned = [])
        @lock.synchronize do
          @server = server
          planned.each { |task| begin_task(task.dup) }
          @waiting.slice!(0..).each { |task| begin_task(task) }
        end
      end

      # The server is gone, and its timers with it.
      def detach
        @lock.synchronize do
          @server = nil
          @timers.clear
        end
      end

      # In a forked process: nothing of the root's is here, whoever held the lock.
      def reset
        @lock = Mutex.new
        @waiting = []
        @timers = []
        @server = nil
      end

      private

      def begin_task(task)
        task.schedule(@server)
        @timers << task if task.is_a?(Timer)
      end
    end
  end
  private_constant :Tasks

  class << self
    # Runs a block soon, on an application thread. Before {start}: in the root and in each of the first workers.
    # @return [Proc] the block
    def run(&block)
      Tasks.add(Tasks::Once.new(:defer, needs_block(:run, block)))
    end
    alias defer run

    # Runs a block once, when this process next has nothing to do.
    # @return [Proc] the block
    def on_idle(&block)
      Tasks.add(Tasks::Once.new(:on_idle, needs_block(:on_idle, block)))
    end

    # Runs a block once, after a while. Before {start}: the time counts from the start, in the root and in each of the
    # first workers.
    # @param milliseconds [Integer]
    # @return [Proc] the block
    # @raise [TypeError] when it is no Integer
    def run_after(milliseconds, &block)
      add_timer(:run_after, milliseconds, 1, block)
    end

    # Runs a block again and again, until it returns `:stop` or {cancel} ends it.
    # @param milliseconds [Integer]
    # @param repetitions [Integer] 0 = for ever
    # @return [Proc] the block
    # @raise [TypeError] when a number is no Integer
    def run_every(milliseconds, repetitions = 0, &block)
      add_timer(:run_every, milliseconds, repetitions, block)
    end

    # Ends what {run_after} or {run_every} began in this process.
    # @param block [Proc] as they returned it
    # @return [Boolean] false when there was nothing to end
    def cancel(block)
      Tasks.cancel(block)
    end

    private

    def add_timer(name, milliseconds, times, block)
      [milliseconds, times].each do |number|
        raise TypeError, "#{name} needs an Integer, not #{number.inspect}" unless number.is_a?(Integer)
        raise ArgumentError, "#{name} got #{number}: give 0 or more" if number.negative?
      end
      Tasks.add(Tasks::Timer.new(milliseconds, times, needs_block(name, block)))
    end

    def needs_block(name, block)
      block || raise(ArgumentError, "#{name} needs a block")
    end
  end
end
