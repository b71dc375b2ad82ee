# frozen_string_literal: true

module Iodine
  # The life of a forked worker, from the fork to its exit.
  # @api private
  class Child
    # @param told [IO] the root's orders
    # @param report [IO] for what the root waits for: that it is up, or why it isn't
    def initialize(told, report)
      @told = told
      @report = report
    end

    # Doesn't return. Yields what serves.
    def run
      Runtime.become(:worker)
      Predecessor.forget
      Signals.new(Runtime.events, :worker).trapping { live(yield) }
      exit
    rescue StandardError, ScriptError => e
      Log.exception('a worker failed to start', e)
      say("#{Worker::FAILED}#{Log.summary(e)}")
      exit 1
    end

    private

    def live(serving)
      Orders.follow(@told, Runtime.events)
      Hooks.run(:after_fork)
      Hooks.run(:enter_child)
      serving.run { say(Worker::UP) }
    end

    # Once: what the application forks must not keep the pipe.
    def say(text)
      @report.syswrite(text) unless @report.closed?
      @report.close
    rescue SystemCallError
      nil # the root died; the orders' pipe tells
    end
  end
  private_constant :Child
end
