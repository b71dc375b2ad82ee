# frozen_string_literal: true

module Iodine
  # Who is told what is published, and how it gets there.
  module PubSub
    class << self
      # In a forked worker: nothing of the root's is here.
      # @api private
      def reset_after_fork
        Subscriptions.reset
      end
    end
  end
end

require_relative 'pub_sub/engine'
require_relative 'pub_sub/subscription'
require_relative 'pub_sub/subscriptions'
