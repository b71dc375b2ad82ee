# frozen_string_literal: true

module Iodine
  module CLI
    # Reads a command line: `-p 80`, `-p=80`, `-p80`, `-port 80`, `--port=80`.
    # @api private
    class Parser
      NUMBER = /\A-\d/

      # @return [Hash] the values by their options' keys
      attr_reader :values
      # @return [Array<String>] what is no option
      attr_reader :files

      # @raise [Option::Error]
      def initialize(arguments, options = OPTIONS)
        @options = options.flat_map { |option| option.names.map { |name| [name, option] } }.to_h
        @values = {}
        @files = []
        @left = arguments.dup
        read(@left.shift) until @left.empty?
      end

      private

      def read(argument)
        if argument == '--' then @files.concat(@left.slice!(0..))
        elsif argument.start_with?('-') && argument != '-' then read_option(argument)
        else @files << argument
        end
      end

      # "-p=80" has its value with it, and so has "-p80"; else it is the next argument.
      def read_option(argument)
        given, text = argument.split('=', 2)
        option = @options[bare(given)]
        return store(option, text, given) if option

        name = attached(argument)
        raise Option::Error, "unknown option #{given}: iodine -h lists all options" unless name

        length = argument.length - bare(argument).length + name.length
        @options[name].store(@values, argument[length..], argument[0...length])
      end

      def store(option, text, given)
        raise Option::Error, "#{given} takes no value" if text && !option.value

        text = next_value if text.nil? && option.value
        option.store(@values, text, given)
      end

      # Another option is no value, a negative number is one.
      def next_value
        @left.shift unless @left.first&.start_with?('-') && !@left.first.match?(NUMBER)
      end

      # The longest name that the argument begins with.
      def attached(argument)
        @options.keys.select { |name| @options[name].value && bare(argument).start_with?(name) }.max_by(&:length)
      end

      def bare(argument)
        argument.sub(/\A--?/, '')
      end
    end
  end
end
