# frozen_string_literal: true

module Iodine
  module Config
    # The words of configuration files: methods of main while a file runs, and no longer.
    # @api private
    module Words
      # No words of a file, which would name itself or start nothing.
      NONE = %i[config check version help].freeze

      # By its words.
      # @return [Hash{Symbol => CLI::Option}]
      OPTIONS = CLI::OPTIONS.reject { |option| NONE.include?(option.key) }
                            .flat_map { |option| option.words.map { |word| [word, option] } }.to_h.freeze
      STATES = [*Hooks::STATES, :on_state].freeze

      # Before main's own methods, one of which is called public.
      @lent = Module.new
      TOPLEVEL_BINDING.receiver.singleton_class.prepend(@lent)

      class << self
        # Runs the block while main has these words.
        # @param receiver [#call] gets a word, its arguments and its block
        def lend(words, receiver)
          words.each { |word| define(word, receiver) }
          yield
        ensure
          words.each { |word| @lent.remove_method(word) }
        end

        private

        def define(word, receiver)
          @lent.define_method(word) do |*arguments, &block|
            # Ruby's own use of it: no setting is a Symbol.
            next super(*arguments) if word == :public && !arguments.first.is_a?(String)

            receiver.call(word, arguments, block)
          end
        end
      end
    end
  end
end
