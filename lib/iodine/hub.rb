# frozen_string_literal: true

module Iodine
  # The root's own reactor: its timers and tasks, with one application thread, and what the workers publish for each
  # other. Nothing is served here.
  # @api private
  class Hub
    PATIENCE = 1 # seconds for a task that is under way at the end

    def initialize(events)
      @server = Server.new(0)
      @pool = ThreadPool.new(@server, 1, events)
    end

    # @param workers [Array<Worker>] that were forked before
    def open(planned, workers)
      @server.open(0)
      Runtime.attach(@server) { link(workers) }
      Tasks.attach(@server, planned)
      Renewal.start(@server) # for the workers to come
      @pool.start
      self
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

    def close
      Tasks.detach
      Runtime.detach
      @pool.halt
      @pool.end_within(PATIENCE)
      @server.close
    end
  end
  private_constant :Hub
end
