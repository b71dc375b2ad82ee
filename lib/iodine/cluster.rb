# frozen_string_literal: true

module Iodine
  # The root process of several workers: forks them, replaces those that die, and stops them. It serves nothing itself.
  # @api private
  class Cluster
    GRACE = 3 # seconds that a worker gets over its own time limit
    ATTEMPTS = 3 # of a worker to come up before the start is given up, if none ever did

    attr_reader :workers

    def initialize(server, threads:, workers:, boot: nil)
      @server = server
      @threads = threads
      @count = workers
      @boot = boot
      @events = Runtime.events
      @workers = []
      @rotation = Rotation.new(self)
      @restart = Restart.new(@events)
    end

    # Yields whenever all workers are up.
    # @raise [RuntimeError] when no worker ever came up
    def run(&complete)
      @complete = complete
      planned = Tasks.take
      @count.times { fork_child(planned) } # before any thread starts here
      @workers.each { |worker| watch(worker) }
      @hub = Hub.new(@events).open(planned, @workers)
      finish(wait)
      raise "no worker came up: #{@failure}" if @failure
    end

    # @return [String, nil] nil: no worker serves
    def status
      "#{serving} of #{@count} workers, #{@server.all_connections} connections" if serving.positive?
    end

    # @return [Worker, nil] nil when the system lets no process be made
    def fork_worker(failures = 0)
      fork_child([], failures).tap { |worker| watch(worker) }
    rescue RuntimeError => e
      Log.error(e.message)
      nil
    end

    # Lets it finish what it began.
    def dismiss(worker, how = :stop)
      worker.order(how)
      later((how == :now ? 0 : Settings.shutdown_timeout) + GRACE) { worker.kill }
    end

    private

    def fork_child(planned, failures = 0)
      Hooks.run(:before_fork)
      worker = Worker.new(free_index, failures, early: @hub.nil?).fork { |*ends| become_child(planned, *ends) }
      @workers << worker
      @hub&.link([worker])
      %i[after_fork enter_master].each { |state| Hooks.run(state) }
      worker
    end

    def free_index
      (0..).find { |index| @workers.none? { |worker| worker.index == index } }
    end

    # In the worker: all of the root's is dropped but the listeners. C does so for its open servers, here the hub, when
    # it forks.
    def become_child(planned, told, report, link)
      index = free_index
      @workers.each(&:close)
      Tasks.reset
      Child.new(told, report).run do
        Serving.new(@server, index: index, threads: @threads, planned: planned, boot: @boot, link: link)
      end
    end

    def watch(worker)
      Thread.new do
        @events << -> { up(worker) } if worker.up?
        status = worker.wait
        @events << -> { gone(worker, status) }
      end
    end

    def later(seconds, &block)
      Thread.new do
        sleep seconds
        @events << block
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
      @ever_up = true
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
      return if @stopping || @rotation.gone?(worker)

      failures = Backoff.failures(worker)
      report(worker, status, Backoff.delay(failures))
      return give_up(worker, status) if !@ever_up && failures >= ATTEMPTS

      replace(failures, Backoff.delay(failures))
    end

    # Without a delay it is done at once. A fork that failed is tried again.
    def replace(failures, delay)
      return later(delay) { replace(failures, 0) unless @stopping } if delay.positive?

      replace(failures + 1, Backoff::FIRST) unless fork_worker(failures)
    end

    def report(worker, status, delay)
      when_replaced = delay.zero? ? 'at once' : "in #{delay} s"
      if status&.success?
        Log.info("worker #{worker.pid} has stopped and is replaced #{when_replaced}")
      else
        Log.error("worker #{worker.pid} #{Worker.fate(status)} and is replaced #{when_replaced}")
        Hooks.run(:on_child_crush)
      end
    end

    def give_up(worker, status)
      @failure = worker.error.to_s.empty? ? "the last one #{Worker.fate(status)}" : worker.error
      @events << :now
    end

    def finish(how)
      @stopping = true
      @restart.cancel
      Disbanding.new(self, @server, @hub, @events).run(how)
    end
  end
  private_constant :Cluster
end
