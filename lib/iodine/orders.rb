# frozen_string_literal: true

module Iodine
  # What the root tells a worker, a letter each. The end of the pipe tells that the root died.
  # @api private
  module Orders
    LETTERS = { stop: 's', now: 'n' }.freeze

    # @param events [Thread::Queue] gets the orders
    def self.follow(pipe, events)
      Thread.new do
        while (letter = pipe.read(1))
          events << LETTERS.key(letter)
        end
        events << :orphaned
      end
    end
  end
  private_constant :Orders
end
