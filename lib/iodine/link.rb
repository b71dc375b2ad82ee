# frozen_string_literal: true

module Iodine
  # What ties a worker to the root: a socket pair, over which pub/sub reaches from one to the other.
  # @api private
  class Link
    PATIENCE = 10 # seconds for the root's answer

    # @param early [Boolean] the worker is forked before the root's hub opens, so it gets all from then on
    def initialize(early)
      require 'socket'
      @early = early
      @root_end, @worker_end = UNIXSocket.pair
    end

    # In the worker, after the fork.
    def leave_root
      @root_end = @root_end.close
    end

    # In the root, after the fork.
    def leave_worker
      @worker_end = @worker_end.close
    end

    # In the root: what its server takes over.
    # @return [Array]
    def for_root(pid)
      descriptor = hand_over(@root_end)
      @root_end = nil
      [descriptor, pid, @early]
    end

    # In the worker: from here on the root sends what others publish. Not before, since a worker that is booting doesn't
    # read.
    def join
      return if @early

      @worker_end.write(Server::JOIN)
      Log.warning("the root process hasn't answered for #{PATIENCE} s: this worker goes on") unless answered?
    rescue SystemCallError
      nil # the root died; the orders' pipe tells
    end

    # In the worker: its server takes over.
    def attach(server)
      descriptor = hand_over(@worker_end)
      @worker_end = nil
      server.link_root(descriptor)
    end

    # Also in another worker, which has a copy.
    def close
      [@root_end, @worker_end].compact.each(&:close)
    end

    private

    def hand_over(socket)
      socket.autoclose = false
      socket.fileno
    end

    # Without a byte more: the next ones are the server's.
    def answered?
      @worker_end.wait_readable(PATIENCE) && @worker_end.recv(Server::JOIN.bytesize)
    end
  end
  private_constant :Link
end
