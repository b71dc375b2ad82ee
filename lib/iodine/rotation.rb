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
    end

    # Asked again meanwhile, all that are there now get their turn.
    def begin
      idle = @old.nil?
      @waiting |= @cluster.workers - [@old]
      step if idle
    end

    def up(worker)
      return unless worker == @new

      Log.info("worker #{worker.pid} takes the place of worker #{@old.pid}")
      @new = nil
      alive?(@old) ? @cluster.dismiss(@old, :retire) : step
    end

    # True when the worker that is gone needs no replacement.
    def gone?(worker)
      if worker == @new
        old = @old
        abandon(worker)
        alive?(old) # if it died meanwhile, it must be replaced after all
      elsif worker == @old
        step unless @new
        true
      else
        false
      end
    end

    private

    def alive?(worker)
      @cluster.workers.include?(worker)
    end

    def step
      @old = @waiting.shift
      @old = @waiting.shift until @old.nil? || alive?(@old)
      @new = @old && @cluster.fork_worker
      @waiting.clear unless @new
      @old = nil unless @new
    end

    def abandon(worker)
      Log.error("the new worker failed to come up: #{worker.error}: the old ones stay")
      @new = @old = nil
      @waiting.clear
    end
  end
  private_constant :Rotation
end
