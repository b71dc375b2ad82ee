# frozen_string_literal: true

module Iodine
  # The root's own reactor: its timers and tasks, with one application thread, the connections that it opened, and what
  # the workers publish for each other. Nothing is served here.
  # @api private
  class Hub
    TICK = 0.01
    PATIENCE = 1 # seconds for a task that is under way at the end, and for the last callbacks

    # @param workers [Server] what they share
    def initialize(events, workers)
      @events = events
      @server = Server.new(0).lead(workers)
      Metrics.bind(@server)
      @pool = ThreadPool.new(@server, 1, events)
    end

    # @param workers [Array<Worker>] that were forked before
    def open(planned, workers)
      @server.open(0)
      @open = true
      Runtime.attach(@server) { link(workers) }
      Tasks.attach(@server, planned)
      Clients.attach(@server)
      Renewal.start(@server) # for the workers to come
      @pool.start
      self
    end

    def open?
      @open
    end

    # In a worker: all that is here is the root's. C drops what is open, when it forks.
    def leave(workers)
      workers.each(&:close)
      @server.close unless @open
    end

    # From here on they get what others publish, and others what they do.
    def link(workers)
      @server.link_workers(workers.map(&:link))
    rescue SystemCallError, NoMemoryError, ArgumentError => e
      Log.error("a worker is cut off from the cluster: #{e.message}")
    end

    # It is gone.
    def unlink(worker)
      @server.unlink(worker.pid)
    end

    # Its connections are told of the stop, and close after what they write.
    def drain
      Clients.detach
      @server.drain
    end

    # @param patience [Numeric] seconds for that
    def close(patience)
      wait(patience) { @server.busy.zero? }
      wait(PATIENCE) { @server.hang_up.zero? && @server.unheard.zero? }
      Tasks.detach
      Runtime.detach
      @pool.halt
      @pool.end_within(PATIENCE)
      @server.close
    end

    private

    # Until it is so, the time is up, or there is no time for it.
    def wait(seconds)
      deadline = Clock.now + seconds
      sleep TICK until yield || Clock.now > deadline || now_asked?
    end

    def now_asked?
      until @events.empty?
        event = @events.pop
        event.call if event.is_a?(Proc)
        return true if event == :now
      end
      false
    end
  end
  private_constant :Hub
end
