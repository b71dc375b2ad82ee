# frozen_string_literal: true

module Iodine
  # How long to wait before a worker is replaced: not at all, unless workers die young again and again.
  # @api private
  module Backoff
    YOUNG = 5 # seconds
    FIRST = 0.5
    MOST = 30

    class << self
      # @return [Integer] how many in a row died young, with this one
      def failures(worker)
        worker.came_up? && worker.age > YOUNG ? 0 : worker.failures + 1
      end

      # @return [Numeric] seconds
      def delay(failures)
        failures < 2 ? 0 : [FIRST * (2**[failures - 2, 10].min), MOST].min
      end
    end
  end
  private_constant :Backoff
end
