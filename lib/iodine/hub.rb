# frozen_string_literal: true

module Iodine
  # The root's own reactor: its timers and tasks, with one application thread. Nothing is served here.
  # @api private
  class Hub
    PATIENCE = 1 # seconds for a task that is under way at the end

    def initialize(events)
      @server = Server.new(0)
      @pool = ThreadPool.new(@server, 1, events)
    end

    def open(planned)
      @server.open(0)
      Runtime.server = @server
      Tasks.attach(@server, planned)
      Renewal.start(@server) # for the workers to come
      @pool.start
      self
    end

    def close
      Tasks.detach
      Runtime.server = nil
      @pool.halt
      @pool.end_within(PATIENCE)
      @server.close
    end
  end
  private_constant :Hub
end
