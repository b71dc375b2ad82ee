# frozen_string_literal: true

module Iodine
  # USR1: the workers are replaced one by one. The new one is up before the old one is told to retire, and the next one
  # is not begun before that has gone.
  # @api private
  class Rotation
    # @param cluster [Cluster]
    def initialize(cluster)
      @cluster = cluster
      @waiting = []
      @failed_at = -Float::INFINITY
    end

    # When a new worker failed to come up, by the monotonic clock.
    # @return [Numeric]
    attr_reader :failed_at

    def busy?
      !@old.nil?
    end

    # Asked again meanwhile, all that are there now get their turn.
    def begin
      Systemd.reloading
      add(@cluster.workers - [@old])
    end

    # That one alone.
    def replace(worker)
      add([worker])
    end

    def up(worker)
      return unless worker == @new

      Log.info("worker #{worker.pid} takes the place of worker #{@old.pid}")
      @new = nil
      alive?(@old) ? @cluster.dismiss(@old, :retire) : step
    end

    # True when the worker that is gone needs no replacement.
    def gone?(worker, status)
      if worker == @new
        old = @old
        abandon(worker.error || "it #{Worker.fate(status)}")
        alive?(old) # if it died meanwhile, it must be replaced after all
      elsif worker == @old
        step unless @new
        true
      else
        false
      end
    end

    private

    def add(workers)
      @waiting |= workers
      step unless busy?
    end

    def alive?(worker)
      @cluster.workers.include?(worker)
    end

    def step
      @old = @waiting.shift
      @old = @waiting.shift until @old.nil? || alive?(@old)
      return Systemd.reloaded unless @old

      @new = @cluster.fork_worker
      give_up unless @new
    end

    def abandon(reason)
      Log.error("the new worker failed to come up: #{reason}: the old ones stay")
      give_up
    end

    def give_up
      @failed_at = Clock.now
      @new = @old = nil
      @waiting.clear
      Systemd.reloaded
    end
  end
  private_constant :Rotation
end
