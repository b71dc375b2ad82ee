# frozen_string_literal: true

require_relative 'command'

module Iodine
  module PubSub
    class Redis
      # The application's commands: those that wait, and those that were sent.
      # @api private
      class Commands
        def initialize(latch)
          @latch = latch
          @waiting = []
          @sent = []
        end

        def push(command)
          @latch.change { @waiting << command }
        end

        def waiting?
          @waiting.any?
        end

        # Does anybody still wait for a reply?
        def any?
          @waiting.any? || @sent.any?
        end

        # What is to be sent now. {#answered} or {#fall} says what becomes of it.
        # @return [Array<Command>]
        def take
          @latch.synchronize { @sent = @waiting.slice!(0..) }
        end

        # @param replies [Array] to those that were taken
        def answered(replies)
          @sent.zip(replies) { |command, reply| command.reply(reply) }
          @latch.change { @sent = [] }
        end

        # What was sent may have been done, and is not sent twice.
        # @param all [Boolean] those that wait give up, too
        def fall(error, all:)
          @latch.synchronize { @sent += @waiting.slice!(0..) } if all
          answered(@sent.map { error })
        end
      end
      private_constant :Commands
    end
  end
end
