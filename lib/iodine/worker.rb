# frozen_string_literal: true

module Iodine
  # A worker as the root sees it: a process, a pipe for orders to it, and one for its report.
  # @api private
  class Worker
    UP = '+' # what it reports; FAILED comes with the reason
    FAILED = '-'

    attr_reader :index, :pid, :failures, :error

    # How it ended, as the end of a sentence.
    def self.fate(status)
      return 'is gone' unless status

      status.signaled? ? "was killed by SIG#{Signal.signame(status.termsig)}" : "ended with status #{status.exitstatus}"
    end

    # @param index [Integer] its slot in what the workers share
    # @param failures [Integer] how many in a row died young before this one
    def initialize(index, failures)
      @index = index
      @failures = failures
      @told, @orders = IO.pipe
      @said, @report = IO.pipe
      @since = now
    end

    # The block runs in the worker, and gets its ends of the pipes.
    def fork
      @pid = ::Process.fork do
        [@orders, @said].each(&:close)
        yield @told, @report
      end
      [@told, @report].each(&:close)
      self
    rescue SystemCallError => e
      close
      raise "can't fork a worker: #{e.message}: lower the number of workers or raise the system's limits"
    end

    # Blocks until it is up or has failed to come up.
    def up?
      first = @said.read(1)
      @error = @said.read unless first == UP
      @up = first == UP
    end

    def came_up?
      @up
    end

    # Blocks. nil when the application took the status.
    def wait
      ::Process.wait2(@pid).last
    rescue Errno::ECHILD
      nil
    end

    # @param order [Symbol] :stop or :now
    def order(order)
      @orders.write_nonblock(Orders::LETTERS.fetch(order))
    rescue SystemCallError, IOError
      nil # it is dying
    end

    def kill
      return if @closed

      Log.warning("worker #{@pid} did not stop in time and is killed")
      ::Process.kill(:KILL, @pid)
    rescue Errno::ESRCH
      nil
    end

    # Also in another worker, which must not keep this one's pipes open: their end tells that the root died.
    def close
      @closed = true
      [@told, @orders, @said, @report].each(&:close)
    end

    def age
      now - @since
    end

    private

    def now
      ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
    end
  end
  private_constant :Worker
end
