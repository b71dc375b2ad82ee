# frozen_string_literal: true

module Iodine
  # What the root tells a worker, a letter each. :retire is a stop that is patient with clients: another one takes its
  # place. The end of the pipe tells that the root died.
  # @api private
  module Orders
    LETTERS = { stop: 's', retire: 'r', now: 'n' }.freeze

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
