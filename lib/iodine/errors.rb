# frozen_string_literal: true

# What a client gets when the application raised.
module Iodine
  class << self
    # Decides what a client gets when the application raised. Only the last block given counts.
    #
    # @yieldparam error [Exception]
    # @yieldparam env [Hash] the request's
    # @yieldreturn [Array, nil] a Rack response; nil for the default one, 500
    # @return [Proc] the block
    def on_error(&block)
      raise ArgumentError, 'on_error needs a block' unless block

      @on_error = block
    end

    private

    # Called by the Rack bridge.
    def handle_error(error, env)
      @on_error&.call(error, env)
    rescue StandardError, ScriptError => e
      Log.exception('on_error', e)
      nil
    end
  end
end
