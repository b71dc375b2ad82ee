# frozen_string_literal: true

module Iodine
  # What the root tells a worker, a letter each. :retire is a stop that is patient with clients: another one takes its
  # place. The end of the pipe tells that the root died.
  # @api private
  module Orders
    LETTERS = { stop: 's', retire: 'r', now: 'n', dump: 'd', reopen: 'h' }.freeze

    # @param events [Events] gets the orders
    def self.follow(pipe, events)
      Thread.new do
        while (letter = pipe.read(1))
          hear(LETTERS.key(letter), events)
        end
        events << :orphaned
      end
    end

    # Backtraces are written here, whatever the thread that waits for events is at.
    def self.hear(order, events)
      case order
      when :dump then Dump.call
      when :reopen then AccessLog.reopen
      else events << order
      end
    rescue StandardError => e
      Log.exception("the order #{order}", e)
    end
    private_class_method :hear
  end
  private_constant :Orders
end
