# frozen_string_literal: true

module Iodine
  # Connections that this process is to open. Until there is a server to do so they wait.
  # @api private
  module Clients
    # One call of connect.
    Opening = Struct.new(:client, :callbacks) do
      def begin(server)
        server.connect(client, callbacks)
      end

      def drop; end
    end

    # One call of attach_fd, with a descriptor of our own.
    Attaching = Struct.new(:client, :fd, :callbacks) do
      def begin(server)
        server.attach(client, fd, callbacks)
      end

      def drop
        IO.for_fd(fd).close
      end
    end

    @lock = Mutex.new
    @waiting = []
    @server = nil

    class << self
      def add(item)
        server = @lock.synchronize { @server.tap { |open| @waiting << item unless open } }
        server&.then { item.begin(server) }
      end

      # From now on the server opens them, first those that wait.
      def attach(server)
        waiting = @lock.synchronize do
          @server = server
          @waiting.slice!(0..)
        end
        waiting.each { |item| item.begin(server) }
      end

      # It is about to stop: who connects again when its connections are closed would keep it from that.
      def detach
        @lock.synchronize { @server = nil }
      end

      # In a forked worker: they are the root's, whoever held the lock.
      def reset
        @lock = Mutex.new
        @server = nil
        @waiting.slice!(0..).each(&:drop)
      end
    end
  end
  private_constant :Clients
end
