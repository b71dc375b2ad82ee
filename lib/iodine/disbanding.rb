# frozen_string_literal: true

module Iodine
  # The end of a cluster: the workers finish what they began, then the root's own server does.
  # @api private
  class Disbanding
    # @param server [Server] what the workers serve
    # @param events [Events] what the root is told meanwhile
    def initialize(cluster, server, hub, events)
      @cluster = cluster
      @server = server
      @hub = hub
      @events = events
    end

    # @param how [Symbol] :stop, :retire or :now
    def run(how)
      Systemd.stopping
      Hooks.run(:start_shutdown)
      @server.close # its copies of the listeners: once the workers have closed theirs, clients are refused
      @hub.drain
      dismiss(how)
      until @cluster.workers.empty?
        event = @events.pop
        event.call if event.is_a?(Proc)
        dismiss(how = event) if %i[stop now].include?(event)
      end
      @hub.close(how == :now ? 0 : Settings.shutdown_timeout)
      Hooks.run(:on_finish)
    end

    private

    def dismiss(how)
      @cluster.workers.each { |worker| @cluster.dismiss(worker, how) }
    end
  end
  private_constant :Disbanding
end
