# frozen_string_literal: true

# Start and stop.
module Iodine
  class << self
    # Serves until {stop} or a signal. With one worker this process serves; with more it forks them. On a thread other
    # than the main one it forks none, and sets no traps.
    # @return [Module] Iodine
    # @raise [RuntimeError] when it is running, or no worker came up
    def start
      Launch.new.run
      self
    end

    # Stops gracefully: what was begun is answered first. In a worker it ends that worker, and the root replaces it. May
    # be called in a trap, and when nothing runs.
    # @return [Module] Iodine
    def stop
      Runtime.stop
      self
    end

    # @return [Boolean] between {start} and its end
    def running?
      Runtime.running?
    end

    # @return [Boolean] true in the root process, and before {start}
    def master?
      !Runtime.stranger? && Runtime.role != :worker
    end

    # @return [Boolean] true in a process that serves
    def worker?
      %i[single worker].include?(Runtime.role)
    end
  end
end
