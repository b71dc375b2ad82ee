# frozen_string_literal: true

module Iodine
  # Tells the log what this process does: how busy it is, and each Ruby thread's backtrace.
  # @api private
  module Dump
    class << self
      # Sets what asks the other processes for theirs; in the root.
      def relay(&block)
        @relay = block
      end

      # In the root: of all processes.
      def everywhere
        call
        @relay&.call if Runtime.role == :root
      end

      # @param server [Server, nil] that is open here
      def call(server = Runtime.server)
        Log.warning(summary(server))
        Thread.list.each { |thread| Log.warning(describe(thread)) }
        server&.dumped
      end

      private

      def summary(server)
        who = "#{Runtime.role == :root ? 'root' : 'process'} #{::Process.pid}"
        return "#{who} serves nothing" unless server

        running, waiting, threads = server.jobs
        "#{who}: #{running} of #{threads} threads at work, #{waiting} jobs wait, #{server.connections} connections"
      end

      def describe(thread)
        name = thread.name || (thread == Thread.main ? 'main' : thread.inspect)
        "thread #{name} (#{thread.status || 'dead'})#{thread.backtrace.to_a.map { |frame| "\n\t#{frame}" }.join}"
      end
    end
  end
  private_constant :Dump
end
