# frozen_string_literal: true

module Iodine
  module CLI
    # One option of the command line.
    # @api private
    class Option
      # The line on standard error when the command line is wrong.
      class Error < StandardError; end

      attr_reader :key, :names, :value, :help

      # @param names [Array<String>] each works with one dash or two
      # @param value [String, nil] what the help calls its value; nil: it takes none
      # @param range [Range, nil] of a number; nil: the value is text
      # @param repeats [Boolean] its values are gathered
      def initialize(key, names, value: nil, range: nil, repeats: false, help: nil)
        @key = key
        @names = names
        @value = value
        @range = range
        @repeats = repeats
        @help = help
        freeze
      end

      # Without help it is known, but belongs to a later version.
      def available?
        !help.nil?
      end

      # "-p, -port". Words of several parts are written with two dashes.
      def title
        names.map { |name| self.class.dashed(name) }.join(', ')
      end

      def self.dashed(name)
        name.length > 1 && (name.include?('-') || name == 'version') ? "--#{name}" : "-#{name}"
      end

      # @param values [Hash] where it is stored
      # @param text [String, nil] its value
      # @param given [String] the name as it was given, for the error
      # @raise [Error]
      def store(values, text, given)
        raise Error, "#{given} is not available in this version of iodine: leave it out" unless available?

        parsed = value ? parse(text, given) : true
        @repeats ? (values[key] ||= []) << parsed : values[key] = parsed
      end

      private

      def parse(text, given)
        raise Error, "#{given} needs a value: #{given} #{value}" if text.nil? || text.empty?
        return text unless @range
        return text.to_i if text.match?(/\A[-+]?\d{1,9}\z/) && @range.cover?(text.to_i)

        raise Error, "#{given} needs a number from #{@range.min} to #{@range.max}, not #{text.inspect}"
      end
    end
  end
end
