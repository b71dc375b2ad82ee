# frozen_string_literal: true

module Iodine
  # The clock that nobody sets.
  # @api private
  module Clock
    # @return [Float] seconds
    def self.now
      ::Process.clock_gettime(::Process::CLOCK_MONOTONIC)
    end
  end
  private_constant :Clock
end
