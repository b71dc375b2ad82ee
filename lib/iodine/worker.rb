# frozen_string_literal: true

module Iodine
  # A worker as the root sees it: a process, a pipe for orders to it, one for its report, and the link of pub/sub.
  # @api private
  class Worker
    UP = '+' # what it reports; FAILED comes with the reason
    FAILED = '-'

    attr_reader :index, :pid, :failures

    # @return [String, nil] why it failed to come up, if it said so
    attr_reader :error

    # It was told to end, or is about to be killed: nobody need look after it any more.
    attr_accessor :dismissed

    # How it ended, as the end of a sentence.
    def self.fate(status)
      return 'is gone' unless status

      status.signaled? ? "was killed by SIG#{Signal.signame(status.termsig)}" : "ended with status #{status.exitstatus}"
    end

    # @param index [Integer] its slot in what the workers share
    # @param failures [Integer] how many in a row died young before this one
    # @param early [Boolean] it is forked before the root's hub opens
    def initialize(index, failures, early:)
      @index = index
      @failures = failures
      @early = early
      @since = Clock.now
    end

    # The block runs in the worker, and gets its ends of the pipes, and the link.
    # @raise [RuntimeError] when the system lets no process be made, or no pipe
    def fork
      make_pipes
      @pid = Databases.fork do
        [@orders, @said].each(&:close)
        @link.leave_root
        yield @told, @report, @link
      end
      [@told, @report].each(&:close)
      @link.leave_worker
      self
    rescue SystemCallError => e
      close
      raise "can't fork a worker: #{e.message}: lower the number of workers or raise the system's limits"
    end

    # What the hub's server takes over.
    # @return [Array]
    def link
      @link.for_root(@pid)
    end

    # Blocks until it is up or has failed to come up.
    def up?
      first = @said.read(1)
      @error = @said.read unless first.nil? || first == UP
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

    # @param order [Symbol] :stop, :retire or :now
    def order(order)
      @orders.write_nonblock(Orders::LETTERS.fetch(order))
    rescue SystemCallError, IOError
      nil # it is dying
    end

    # At once.
    # @return [Boolean, nil] nil when it was gone
    def kill
      ::Process.kill(:KILL, @pid) && true unless @closed
    rescue Errno::ESRCH
      nil
    end

    # Also in another worker, which must not keep this one's pipes open: their end tells that the root died.
    def close
      @closed = true
      [@told, @orders, @said, @report, @link].compact.each(&:close)
    end

    def age
      Clock.now - @since
    end

    private

    def make_pipes
      @told, @orders = IO.pipe
      @said, @report = IO.pipe
      @link = Link.new(@early)
    end
  end
  private_constant :Worker
end
