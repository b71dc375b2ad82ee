# frozen_string_literal: true

module Iodine
  # How long to wait before a worker is replaced: not at all, unless workers die young again and again.
  # @api private
  module Backoff
    YOUNG = 5 # seconds
    FIRST = 0.5
    MOST = 30 # for one that never came up; one that did has served, and clients wait for the next
    MOST_ONCE_UP = 2

    class << self
      # @return [Integer] how many in a row died young, with this one
      def failures(worker)
        worker.came_up? && worker.age > YOUNG ? 0 : worker.failures + 1
      end

      # @return [Numeric] seconds
      def delay(worker, failures)
        return 0 if failures < 2

        [FIRST * (2**[failures - 2, 10].min), worker.came_up? ? MOST_ONCE_UP : MOST].min
      end
    end
  end
  private_constant :Backoff
end
