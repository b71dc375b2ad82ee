# frozen_string_literal: true

module Support
  # Nothing in the specs waits for ever: whoever waits asks a deadline how long it may.
  class Deadline
    class Passed < RuntimeError; end

    # A build with sanitizers is slower; IODINE_SPEC_SLOWER multiplies all time limits.
    SLOWER = Float(ENV.fetch('IODINE_SPEC_SLOWER', 1))

    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @param seconds [Numeric] from now
    # @param what [String] what is waited for: the message when the time has passed
    def initialize(seconds, what)
      @seconds = seconds * SLOWER
      @due = Deadline.now + @seconds
      @what = what
    end

    # @return [Float] seconds left, more than 0
    # @raise [Passed]
    def left
      left = @due - Deadline.now
      raise Passed, "waited #{@seconds} s for #{@what}" if left <= 0

      left
    end

    # Calls the block every few milliseconds until it gives something true, and returns that.
    def poll(every: 0.01)
      loop do
        found = yield
        return found if found

        left
        sleep every
      end
    end
  end
end
