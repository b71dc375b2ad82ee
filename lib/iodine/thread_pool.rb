# frozen_string_literal: true

module Iodine
  # The application threads of a server. One that dies (the application killed it) is replaced.
  # @api private
  class ThreadPool
    # @param events [Events] gets what is to be called when a thread died
    def initialize(server, count, events)
      @server = server
      @count = count
      @events = events
      @threads = []
      @halted = false
    end

    def start
      @count.times { |index| @threads[index] = spawn(index) }
    end

    # Each thread ends after its job.
    def halt
      @halted = true
      @server.halt
    end

    def done?
      @threads.none?(&:alive?)
    end

    # Those that don't end by themselves in this time are killed, and get a second for their ensure clauses.
    def end_within(seconds)
      join(seconds)
      @threads.each(&:kill)
      join(1)
    end

    private

    def join(seconds)
      deadline = Clock.now + seconds
      @threads.each { |thread| thread.join([deadline - Clock.now, 0].max) }
    end

    def spawn(index)
      Thread.new do
        Thread.current.name = "iodine #{index + 1}"
        @server.serve
      ensure
        @events << -> { @threads[index] = spawn(index) unless @halted } unless @halted
      end
    end
  end
  private_constant :ThreadPool
end
