# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # One command of the application, and whom its reply is for.
      # @api private
      class Command
        # What would hold up, or change, the connection that all publish on.
        BLOCKING = %w[BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF].freeze
        STATEFUL = %w[SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR
                      MULTI EXEC DISCARD WATCH UNWATCH AUTH HELLO SELECT RESET QUIT SYNC PSYNC REPLCONF].freeze
        CLIENT = %w[REPLY TRACKING].freeze

        # @return [Array<String>]
        attr_reader :words

        # @param arguments [Array] the words; one String alone is split
        # @param block [Proc, nil] gets the reply, or the Exception
        # @raise [ArgumentError, TypeError]
        def initialize(arguments, block)
          @words = split(arguments.flatten).map { |word| text(word) }
          @block = block
          check
        end

        def name
          @words.first.upcase
        end

        # A block that fails ends nothing else. Without a block, an error is told in the log.
        def reply(value)
          return @block.call(value) if @block

          Log.error("#{name} failed: #{Log.summary(value)}") if value.is_a?(Exception)
        rescue StandardError, ScriptError => e
          Log.exception("the reply of Redis to #{name}", e)
        end

        private

        def split(arguments)
          arguments.size == 1 && arguments.first.is_a?(String) ? arguments.first.split : arguments
        end

        def text(word)
          case word
          when String then word.dup.freeze
          when Symbol, Integer, Float then word.to_s
          else raise TypeError, "a word of a command must be a String, a Symbol or a number, not #{word.class}"
          end
        end

        def check
          raise ArgumentError, 'cmd needs a command, such as cmd("GET", "key")' if @words.empty?

          refuse('it would hold up all that is published: use a connection of your own') if blocking?
          refuse('it would change a connection that others use, too: use one of your own') if stateful?
        end

        def blocking?
          BLOCKING.include?(name) || (name.start_with?('XREAD') && @words.any? { |word| word.casecmp?('BLOCK') })
        end

        def stateful?
          STATEFUL.include?(name) || (name == 'CLIENT' && CLIENT.include?(@words[1].to_s.upcase))
        end

        def refuse(reason)
          raise ArgumentError, "cmd doesn't do #{name}: #{reason}"
        end
      end
      private_constant :Command
    end
  end
end
