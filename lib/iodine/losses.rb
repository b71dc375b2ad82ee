# frozen_string_literal: true

module Iodine
  # Workers that are gone though nobody told them to: each is reported and replaced, at once or after a while. If none
  # ever came up the start is given up.
  # @api private
  class Losses
    ATTEMPTS = 3 # of a worker to come up before that

    # @return [String, nil] why the start was given up
    attr_reader :failure

    # No worker has come up so far.
    attr_writer :none_yet

    def initialize(cluster, events)
      @cluster = cluster
      @events = events
      @none_yet = true
    end

    def add(worker, status)
      failures = Backoff.failures(worker)
      delay = Backoff.delay(worker, failures)
      report(worker, status, delay)
      return give_up(worker, status) if @none_yet && failures >= ATTEMPTS

      replace(failures, delay)
    end

    private

    # Without a delay it is done at once. A fork that failed is tried again.
    def replace(failures, delay)
      return @cluster.later(delay) { replace(failures, 0) unless @cluster.stopping? } if delay.positive?

      replace(failures + 1, Backoff::FIRST) unless @cluster.fork_worker(failures)
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
      @failure = worker.error || "the last one #{Worker.fate(status)}"
      @events << :now
    end
  end
  private_constant :Losses
end
