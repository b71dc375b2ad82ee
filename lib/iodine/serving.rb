# frozen_string_literal: true

module Iodine
  # The life of a process that serves: the only one, or a worker.
  # @api private
  class Serving
    TICK = 0.01
    PATIENCE = 1 # seconds for the last callbacks

    # @param index [Integer] the slot of this process in what the workers share
    # @param planned [Array] tasks that were set before the start
    # @param boot [#call, nil] loads what each serving process loads for itself
    # @param link [Link, nil] to the root
    def initialize(server, index:, threads:, planned: [], boot: nil, link: nil)
      @server = server
      @index = index
      @planned = planned
      @boot = boot
      @link = link
      @events = Runtime.events
      @pool = ThreadPool.new(server, threads, @events)
    end

    # Serves until it is told to stop. Yields when it is up.
    def run
      load_application if @boot
      Hooks.run(:on_start)
      open
      yield if block_given?
      finish(wait)
    end

    private

    def load_application
      @boot.call
      Settle.call
    end

    def open
      @link&.join
      @server.open(@index)
      Runtime.attach(@server) { @link&.attach(@server) }
      Tasks.attach(@server, @planned)
      Clients.attach(@server)
      Renewal.start(@server)
      @pool.start
    end

    # @return [Symbol] how to stop: :stop or :now
    def wait
      loop do
        answer = handle(@events.pop)
        return answer if answer
      end
    end

    def handle(event)
      case event
      when Proc then event.call
      when :orphaned then return orphaned
      when :unlinked then cut_off
      when :replace
        replace if Runtime.role == :single
      when :stop, :now then return event
      end
      nil
    end

    def orphaned
      Log.error('the root process died: this worker stops')
      Hooks.run(:on_parent_crush)
      :stop
    end

    # The link to the root has ended. If the root died, its orders' pipe tells that too; else nobody hears any more what
    # is published here, and another worker is to take its place.
    def cut_off
      Thread.new do
        sleep PATIENCE
        @events << -> { stop_alone unless @deadline }
      end
    end

    def stop_alone
      Log.error('this worker is cut off from the others: it stops')
      @events << :stop
    end

    # No worker can take its place, but it can load certificates.
    def replace
      return Renewal.now unless Listeners.secured.empty?

      Log.warning('USR1 replaces workers, and a single process has none: nothing is done')
    end

    def finish(how)
      @deadline = how == :now ? 0 : now + Settings.shutdown_timeout
      Hooks.run(:start_shutdown)
      Clients.detach
      @server.drain
      GC.start # ends the streams that the application has forgotten to close: nobody else will
      wait_until { @server.busy.zero? }
      report_cut_off
      hang_up
      @pool.halt
      wait_until { @pool.done? }
      @pool.end_within(0)
      close
    end

    # What isn't HTTP and still open closes now; its callbacks get a moment to hear of it. What subscriptions were sent
    # before is heard.
    def hang_up
      deadline = now + PATIENCE
      sleep TICK until @server.hang_up.zero? || now > deadline
      wait_until { @server.unheard.zero? }
    end

    # Or until the time is up: there is no way to be told, and nothing else to do.
    def wait_until
      until yield || now > @deadline
        sleep TICK
        @deadline = 0 if now_asked?
      end
    end

    def now_asked?
      until @events.empty?
        return true if handle(@events.pop) == :now
      end
      false
    end

    def report_cut_off
      busy = @server.busy
      return if busy.zero?

      reason = if @deadline.zero? then 'as asked, at once'
               else "after #{Settings.shutdown_timeout} s: raise shutdown-timeout if they need longer"
               end
      Log.warning("#{busy} #{busy == 1 ? 'request was' : 'requests were'} cut off #{reason}")
    end

    def close
      Tasks.detach
      Runtime.detach
      @server.close if @pool.done?
      Hooks.run(:on_finish)
    end

    def now
      ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
    end
  end
  private_constant :Serving
end
