# frozen_string_literal: true

module Iodine
  # What this process listens on. A listener is bound at once; after a stop it is bound again by the next start, unless
  # its address was given away meanwhile.
  # @api private
  module Listeners
    @bound = []
    @closed = []
    @server = nil

    class << self
      def add(listener)
        listener.bind(Runtime.server || server)
        Banner.name(listener.names) if Runtime.server
        @closed.reject! { |old| old.same?(listener) }
        @bound << listener
        Renewal.start(Runtime.server) if Runtime.server
      end

      # The server that the next start opens. How many workers will share it isn't known yet.
      def server
        @server ||= Server.new(Settings::MAX_WORKERS + 1) # one more: a rotation has the new one beside the old
      end

      def bind_again
        @closed.each { |listener| listener.bind(server) }
        @bound.concat(@closed.slice!(0..))
      end

      # Those that have TLS.
      def secured
        @bound.select(&:tls)
      end

      def apps
        @bound.reject(&:raw?).filter_map(&:app)
      end

      def names
        @bound.flat_map(&:names)
      end

      # Of static files.
      def folders
        @bound.filter_map(&:folder).uniq
      end

      # For a process that is to take the place of this one.
      # @return [Array<Array(Integer, String)>] as Endpoint has it
      def descriptors
        [*@bound, *Metrics.listener].flat_map(&:descriptors)
      end

      # It has done so: what is left in the file system belongs to it.
      def hand_over
        [*@bound, *Metrics.listener].each(&:hand_over)
      end

      # Nothing of it is served any more. Threads that can't be ended keep their server open.
      def close
        @server&.close
        @bound.each(&:remove)
        @closed.concat(@bound.slice!(0..))
        @server = nil
      end
    end
  end
  private_constant :Listeners
end
