# frozen_string_literal: true

module Iodine
  # The life of a process that serves: the only one, or a worker.
  # @api private
  class Serving
    BEAT = 250 # ms between two signs of life, for each second of the worker-timeout
    PATIENCE = 1 # seconds in which the root's death is told, if that is why the link has ended

    # @param index [Integer] the slot of this process in what the workers share
    # @param planned [Array] tasks that were set before the start
    # @param boot [#call, nil] loads what each serving process loads for itself; true when that is anything
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

    # @return [String]
    def status
      Banner.count(@server.all_connections, 'connection')
    end

    private

    # What was loaded before the fork has settled already.
    def load_application
      loaded = @boot.call
      RailsServer.attach
      RailsServer.take_log if loaded
      Settle.call if loaded
    end

    def open
      @link&.join
      @server.beat((Settings.amount(:worker_timeout) * BEAT).ceil) if @link
      @server.open(@index)
      Runtime.attach(@server) { @link&.attach(@server) }
      Tasks.attach(@server, @planned)
      Clients.attach(@server)
      Renewal.start(@server)
      @pool.start
    end

    # @return [Symbol] how to stop: :stop, :retire or :now
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
      when :replace, :restart
        send(event) if Runtime.role == :single
      when :stop, :retire, :now then return event
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
        @events << -> { stop_alone unless @stopping }
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

    def restart
      @restart ||= Restart.new(@events)
      @restart.begin
    end

    def finish(how)
      @stopping = true
      @restart&.cancel
      Systemd.stopping
      Hooks.run(:start_shutdown)
      Clients.detach
      Drain.new(@server, @pool, how) { order }.run
      close
    end

    # What came meanwhile, up to the next order to stop; nil: nothing more.
    def order
      until @events.empty?
        answer = handle(@events.pop)
        return answer if answer
      end
    end

    def close
      Tasks.detach
      Runtime.detach
      @server.close if @pool.done?
      Hooks.run(:on_finish)
    end
  end
  private_constant :Serving
end
