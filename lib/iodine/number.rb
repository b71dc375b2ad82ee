# frozen_string_literal: true

module Iodine
  # Numbers that callers give.
  # @api private
  module Number
    # @param option [Symbol] what it is, for the message
    # @return [Integer] the number
    # @raise [TypeError, RangeError]
    def self.check(option, number, range)
      raise TypeError, "#{option} must be an Integer, not #{number.class}" unless number.is_a?(Integer)
      return number if range.cover?(number)

      raise RangeError, "#{option} is #{number}: give a number from #{range.min} to #{range.max}"
    end
  end
  private_constant :Number
end
