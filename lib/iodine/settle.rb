# frozen_string_literal: true

module Iodine
  # Makes all that was loaded so far old for Ruby's GC. A young collection then looks only at what the requests made:
  # measured on a hello, a third of the instructions of a request. Done before the forks, the workers share that memory,
  # too.
  # @api private
  module Settle
    SURVIVALS = 4 # collections that an object survives to be old, and the one that notices

    def self.call
      return ::Process.warmup if ::Process.respond_to?(:warmup)

      SURVIVALS.times { GC.start }
    end
  end
  private_constant :Settle
end
