# frozen_string_literal: true

require 'monitor'

module Iodine
  module PubSub
    class Redis
      # The lock of one session, and a way to wait for what others change under it. Who holds it may take it again.
      # @api private
      class Latch
        def initialize
          @monitor = Monitor.new
          @changed = @monitor.new_cond
        end

        def synchronize(&)
          @monitor.synchronize(&)
        end

        # Whoever waits looks again.
        def change
          @monitor.synchronize do
            result = yield
            @changed.broadcast
            result
          end
        end

        # @param seconds [Numeric, nil] at most; nil: for ever
        def wait_while(seconds = nil)
          deadline = seconds && (Clock.now + seconds)
          @monitor.synchronize do
            while yield
              left = deadline && (deadline - Clock.now)
              break if left&.negative?

              @changed.wait(left)
            end
          end
        end
      end
      private_constant :Latch
    end
  end
end
