# frozen_string_literal: true

module Iodine
  # The root process of several workers: forks them, replaces those that die, and stops them. It serves nothing itself.
  # @api private
  class Cluster
    GRACE = 3 # seconds that a worker gets over its own time limit

    attr_reader :workers

    def initialize(server, threads:, workers:, boot: nil)
      @server = server
      @threads = threads
      @count = workers
      @boot = boot
      @events = Runtime.events
      @workers = []
      @hub = Hub.new(@events, server)
      @rotation = Rotation.new(self)
      @restart = Restart.new(@events)
      @losses = Losses.new(self, @events)
      @guard = Guard.new(self, server, @rotation, @events)
    end

    # Yields whenever all workers are up.
    # @raise [RuntimeError] when no worker ever came up
    def run(&complete)
      @complete = complete
      planned = Tasks.take
      @count.times { fork_child(planned) } # before any thread starts here
      @workers.each { |worker| watch(worker) }
      @hub.open(planned, @workers)
      Dump.relay { tell(:dump) }
      AccessLog.relay { tell(:reopen) }
      @guard.start
      finish(wait)
      raise "no worker came up: #{@losses.failure}" if @losses.failure
    end

    # @return [String, nil] nil: no worker serves
    def status
      "#{serving} of #{@count} workers, #{Banner.count(@server.all_connections, 'connection')}" if serving.positive?
    end

    # @return [Worker, nil] nil when the system lets no process be made
    def fork_worker(failures = 0)
      fork_child([], failures).tap { |worker| watch(worker) }.tap { @server.count_restart }
    rescue RuntimeError => e
      Log.error(e.message)
      nil
    end

    # Lets it finish what it began.
    def dismiss(worker, how = :stop)
      worker.dismissed = true
      worker.order(how)
      later((how == :now ? 0 : Settings.shutdown_timeout) + GRACE) do
        Log.warning("worker #{worker.pid} did not stop in time and is killed") if worker.kill
      end
    end

    # The block runs then, on the thread of all events.
    def later(seconds, &block)
      Thread.new do
        sleep seconds
        @events << block
      end
    end

    def stopping?
      @stopping
    end

    # @return [Array<Worker>] those that nobody has told to end
    def staying
      @stopping ? [] : @workers.reject(&:dismissed)
    end

    private

    def tell(order)
      @workers.each { |worker| worker.order(order) }
    end

    def fork_child(planned, failures = 0)
      Hooks.run(:before_fork)
      worker = Worker.new(free_index, failures, early: !@hub.open?).fork { |*ends| become_child(planned, *ends) }
      @workers << worker
      @hub.link([worker]) if @hub.open?
      %i[after_fork enter_master].each { |state| Hooks.run(state) }
      worker
    end

    def free_index
      (0..).find { |index| @workers.none? { |worker| worker.index == index } }
    end

    # In the worker: all of the root's is dropped but the listeners.
    def become_child(planned, told, report, link)
      index = free_index
      @hub.leave(@workers)
      Child.new(told, report).run do
        Serving.new(@server, index: index, threads: @threads, planned: planned, boot: @boot, link: link)
      end
    end

    def watch(worker)
      Thread.new do
        @events << -> { up(worker) } if worker.up?
        worker.wait.then { |status| @events << -> { gone(worker, status) } }
      end
    end

    # @return [Symbol] how to stop: :stop, :retire or :now
    def wait
      loop do
        case event = @events.pop
        when Proc then event.call
        when :replace then @rotation.begin
        when :restart then @restart.begin
        else return event
        end
      end
    end

    def up(worker)
      @losses.none_yet = false
      return if @stopping

      @rotation.up(worker)
      @complete.call if serving == @count
    end

    def serving
      @workers.count(&:came_up?)
    end

    def gone(worker, status)
      @workers.delete(worker)
      @server.vacate(worker.index)
      @hub.unlink(worker)
      worker.close
      return if @stopping || @rotation.gone?(worker, status)

      @server.count_crash unless status&.success?
      @losses.add(worker, status)
    end

    def finish(how)
      @stopping = true
      @restart.cancel
      Disbanding.new(self, @server, @hub, @events).run(how)
    end
  end
  private_constant :Cluster
end
