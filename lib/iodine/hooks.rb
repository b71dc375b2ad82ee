# frozen_string_literal: true

# What runs when a process starts, forks or stops.
module Iodine
  # The blocks that run when a process starts, forks or stops.
  # @api private
  module Hooks
    ROOT = %i[pre_start before_fork enter_master on_child_crush].freeze
    STATES = (ROOT + %i[after_fork enter_child on_start start_shutdown on_finish on_parent_crush]).freeze

    @blocks = STATES.to_h { |state| [state, []] }

    class << self
      def add(state, block)
        unless @blocks.key?(state)
          raise TypeError, "unknown state #{state.inspect}: use one of #{STATES.map(&:inspect).join(', ')}"
        end
        raise ArgumentError, "on_state(#{state.inspect}) needs a block" unless block

        Late.too_late?("on_state(#{state.inspect})") if ROOT.include?(state)
        @blocks[state] << block
        block
      end

      # Each block in order; one that fails is logged and the next one runs.
      def run(state)
        @blocks[state].dup.each do |block|
          block.call
        rescue StandardError, ScriptError => e
          Log.exception("on_state(#{state.inspect})", e)
        end
      end

      # Here a failure is the caller's.
      def run!(state)
        @blocks[state].dup.each(&:call)
      end
    end
  end
  private_constant :Hooks

  # Runs a block when the process reaches a state. Several blocks of a state run in the order they were given.
  #
  # - `:pre_start`: in the root, before it forks. An exception stops the start.
  # - `:before_fork`: in the root, before each worker is forked.
  # - `:after_fork`: after each fork, in the root and in the worker.
  # - `:enter_master`, `:enter_child`: then, in the root or in the worker.
  # - `:on_start`: in each process that serves, before it accepts.
  # - `:start_shutdown`, `:on_finish`: when it begins to stop, when it has stopped.
  # - `:on_child_crush`: in the root, when a worker died. `:on_parent_crush`: in a worker, when the root did.
  #
  # @param state [Symbol]
  # @return [Proc] the block
  # @raise [TypeError] when there is no such state
  def self.on_state(state, &block)
    Hooks.add(state, block)
  end
end
