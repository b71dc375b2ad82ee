# frozen_string_literal: true

module Iodine
  # A container ends with its process 1. When another process has taken that one's place it stays: it passes signals on,
  # reaps what ends, and ends as the last successor does.
  # @api private
  module Keeper
    SIGNALS = %w[INT TERM HUP USR1 USR2 TTIN].freeze
    KILLED = 128 # and the signal's number, as shells have it

    class << self
      # What a successor announces its own successor on.
      # @return [IO, nil] nil where nobody keeps
      def pipe
        return Predecessor.keeper unless first?

        @told, @tell = IO.pipe unless @tell
        @tell
      end

      # @param pid [Integer] who has taken over
      def announce(pid)
        first? ? obey(pid) : Predecessor.keeper&.syswrite("#{pid}\n")
      rescue SystemCallError
        nil # it is gone, and with it all others
      end

      # As process 1 with a successor it ends with that one; else it returns at once.
      def run
        return unless @current

        require 'io/wait'
        (Thread.list - [Thread.current]).each(&:kill)
        GC.start
        trap('CHLD') { @tell.syswrite("\n") }
        exit(watch)
      end

      private

      def first?
        ::Process.pid == 1
      end

      # From here on signals are for the other one.
      def obey(pid)
        @current = pid
        SIGNALS.each { |name| trap(name) { pass_on(name) } }
      end

      def pass_on(name)
        ::Process.kill(name, @current)
      rescue Errno::ESRCH
        nil # its end is about to be told
      end

      # @return [Integer] the status of the last one
      def watch
        loop do
          ended = reap
          listen # what it announced before its end is there
          return ended[@current] if ended[@current]

          @told.wait_readable
        end
      end

      def listen
        lines = @told.read_nonblock(4096, exception: false)
        @current = lines.split.last.to_i if lines.is_a?(String) && lines.match?(/\d/)
      end

      # @return [Hash{Integer => Integer}] statuses of those that have ended
      def reap
        ended = {}
        while (pid, status = ::Process.wait2(-1, ::Process::WNOHANG))
          ended[pid] = status.exitstatus || (KILLED + status.termsig)
        end
        ended
      rescue Errno::ECHILD
        ended
      end
    end
  end
  private_constant :Keeper
end
