# frozen_string_literal: true

module Iodine
  # The end of what a process serves: what was begun is answered, then the rest is closed.
  # @api private
  class Drain
    TICK = 0.01
    PATIENCE = 1 # seconds for the last callbacks
    SPREAD = 0.8 # of a retirement: when it has passed, the last WebSocket is asked to close
    LAST = 1.0 # seconds before the end of a retirement that idle connections close

    # The block hears what the process is told meanwhile, and gives the next order, or nil.
    # @param how [Symbol] :stop; :retire: others take its place, so that idle connections may stay; :now
    def initialize(server, pool, how, &orders)
      @server = server
      @pool = pool
      @how = how
      @orders = orders
      @deadline = how == :now ? 0 : Clock.now + Settings.shutdown_timeout
    end

    # Returns when it is over, or the time is.
    def run
      retire if @how == :retire
      @server.drain
      GC.start if @server.busy.positive? # ends streams that the application has forgotten: nobody else will
      wait_until(@deadline) { @server.busy.zero? }
      report_cut_off
      hang_up
      @pool.halt
      wait_until(@deadline) { @pool.done? }
      @pool.end_within(0)
    end

    private

    # Clients that keep their connections are told with the next answer that they close.
    def retire
      left = @deadline - Clock.now
      patience = [left - LAST, left * SPREAD].max
      @server.retire((patience * SPREAD * 1000).to_i)
      wait_until(Clock.now + patience) { @how != :retire || (@server.connections.zero? && @server.busy.zero?) }
    end

    # What isn't HTTP and still open closes now; its callbacks get a moment to hear of it. What subscriptions were sent
    # before is heard.
    def hang_up
      deadline = Clock.now + PATIENCE
      sleep TICK until @server.hang_up.zero? || Clock.now > deadline
      wait_until(@deadline) { @server.unheard.zero? }
    end

    # Or until the time is up: there is no way to be told, and nothing else to do.
    def wait_until(deadline)
      until yield || Clock.now > [deadline, @deadline].min
        sleep TICK
        hear
      end
    end

    # A stop ends a retirement's patience, :now all.
    def hear
      order = @orders.call
      @how = order if order && order != :retire
      @deadline = 0 if order == :now
    end

    def report_cut_off
      busy = @server.busy
      return if busy.zero?

      reason = if @deadline.zero? then 'as asked, at once'
               else "after #{Settings.shutdown_timeout} s: raise shutdown-timeout if they need longer"
               end
      Log.warning("#{busy} #{busy == 1 ? 'request was' : 'requests were'} cut off #{reason}")
    end
  end
  private_constant :Drain
end
