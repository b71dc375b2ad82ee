# frozen_string_literal: true

module Iodine
  # What happens to this process, in its order, for the thread that decides: the main one, on which traps run, too.
  # @api private
  class Events < Thread::Queue
    PAUSE = 0.1 # seconds until another thread may be had

    # Another thread waits, and is joined. A trap that runs just when Ruby lets its thread sleep in a queue leaves it
    # asleep, whatever the trap has pushed; a thread that joins another one looks again after each trap.
    def pop
      empty? ? Thread.new { super() }.value : super
    rescue ThreadError
      sleep PAUSE
      retry
    end
  end
  private_constant :Events
end
