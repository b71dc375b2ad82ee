# frozen_string_literal: true

module Iodine
  # What this process is while it runs. A process that the application forks has no part in it.
  # @api private
  module Runtime
    @lock = Mutex.new

    class << self
      # @return [Events] what the thread that started it waits for
      attr_reader :events

      def enter(role)
        @lock.synchronize do
          raise 'iodine is running: call Iodine.stop before Iodine.start' if running?

          set(role)
        end
      end

      # In a forked worker: nothing of the root's is here, whoever held the lock.
      def become(role)
        @lock = Mutex.new
        PubSub.reset_after_fork
        Log.forked
        Clients.reset
        Tasks.reset
        set(role)
      end

      def leave
        @role = @server = @pid = Server.running = nil
      end

      # True when this process has run: a script that started and stopped by itself is not started again.
      def ran?
        !@events.nil?
      end

      # Neither the root nor a worker, but forked by one of them.
      def stranger?
        !@pid.nil? && @pid != ::Process.pid
      end

      def role
        @role if @pid == ::Process.pid
      end

      def running?
        !role.nil?
      end

      # The server that is open in this process, or nil.
      def server
        @server if running?
      end

      # From here on timers, new listeners and what is published go to this server. The block runs in between: the
      # subscriptions hold, and nothing is published yet.
      def attach(server)
        PubSub.open(server)
        yield if block_given?
        PubSub.opened(server)
        @server = Server.running = server
      end

      # Nowhere any more.
      def detach
        @over = true
        @server = Server.running = nil
        PubSub.close
      end

      # Its server isn't open yet.
      def starting?
        running? && !@server && !@over
      end

      def stop
        @events << :stop if running?
      end

      private

      def set(role)
        @role = role
        @pid = ::Process.pid
        @over = false
        @events = Events.new
        @server = Server.running = nil
      end
    end
  end
  private_constant :Runtime
end
