# frozen_string_literal: true

module Iodine
  # One start, from the settings to the end of serving.
  # @api private
  class Launch
    # @param boot [#call, nil] runs in each process that serves, before its :on_start; true when it has loaded something
    # @param hasty [Boolean] the first INT stops at once
    def initialize(boot: nil, hasty: false)
      @boot = boot
      @hasty = hasty
    end

    # Blocks until it is stopped. On a thread other than the main one it forks no workers.
    def run
      threads, workers = Settings.concurrency
      workers = 1 unless Thread.current == Thread.main
      Runtime.enter(workers == 1 ? :single : :root)
      begin
        live(threads, workers)
      ensure
        leave unless Runtime.stranger?
      end
    end

    private

    def live(threads, workers)
      RailsServer.attach
      Hooks.run!(:pre_start)
      Listeners.bind_again
      Signals.new(Runtime.events, Runtime.role, hasty: @hasty).trapping do
        Settle.call
        AccessLog.open(Listeners.server)
        process = process(threads, workers)
        Inherited.close_rest unless workers == 1 # which may listen somewhere when it is up
        Banner.show(threads, workers)
        serve(process)
        Keeper.run
      end
    end

    def serve(process)
      RailsServer.take_log
      Orphans.adopt
      process.run { arrive(process) }
    end

    # Once: all that is to serve does.
    def arrive(process)
      return if @arrived

      @arrived = true
      Inherited.close_rest
      PidFile.replace
      Inherited.remove_stale
      Predecessor.up
      Systemd.begin(Runtime.events) { process.status }
    end

    def process(threads, workers)
      if workers == 1
        Recycling.warn_of_no_use
        Metrics.bind(Listeners.server)
        Serving.new(Listeners.server, index: 0, threads: threads, boot: @boot)
      else
        Cluster.new(Listeners.server, threads: threads, workers: workers, boot: @boot)
      end
    end

    def leave
      RailsServer.leave_log
      Listeners.close
      Metrics.close
      AccessLog.close
      Tasks.detach
      Runtime.leave
    end
  end
  private_constant :Launch
end
