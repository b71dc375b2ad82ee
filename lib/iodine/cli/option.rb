# frozen_string_literal: true

module Iodine
  module CLI
    USAGE = 64 # sysexits' number for a wrong command line

    # One option of the command line, which is a word of the configuration file as well.
    # @api private
    class Option
      # The line on standard error when the command line, or the configuration file, is wrong.
      class Error < StandardError; end

      attr_reader :key, :names, :value, :help

      # @param names [Array<String>] each works with one dash or two
      # @param value [String, nil] what the help calls its value; nil: it takes none
      # @param range [Range, nil] of a number; nil: the value is text
      # @param repeats [Boolean] its values are gathered
      # @param check [#call, nil] gets the text and the name as it was given; an ArgumentError or LoadError says what is
      #   wrong with it
      def initialize(key, names, value: nil, range: nil, repeats: false, help: nil, check: nil)
        @key = key
        @names = names
        @value = value
        @range = range
        @repeats = repeats
        @help = help
        @check = check
        freeze
      end

      def repeats?
        @repeats
      end

      # "-p, -port". Words of several parts are written with two dashes.
      def title
        names.map { |name| self.class.dashed(name) }.join(', ')
      end

      # What it is called in a configuration file.
      # @return [Array<Symbol>]
      def words
        long = names.select { |name| name.length > 1 }
        [key, *long].compact.map { |name| name.to_s.tr('-', '_').to_sym }.uniq
      end

      def self.dashed(name)
        name.length > 1 && (name.include?('-') || name == 'version') ? "--#{name}" : "-#{name}"
      end

      # @param values [Hash] where it is stored
      # @param text [String, nil] its value
      # @param given [String] the name as it was given, for the error
      # @raise [Error]
      def store(values, text, given)
        parsed = value ? parse(text, given) : true
        @repeats ? (values[key] ||= []) << parsed : values[key] = parsed
      end

      private

      def parse(text, given)
        raise Error, "#{given} needs a value: #{given} #{value}" if text.nil? || text.empty?
        return number(text, given) if @range

        @check&.call(text, given)
        text
      rescue ArgumentError, LoadError => e
        raise Error, e.message
      end

      def number(text, given)
        return text.to_i if text.match?(/\A[-+]?\d{1,9}\z/) && @range.cover?(text.to_i)

        raise Error, "#{given} needs a number from #{@range.min} to #{@range.max}, not #{text.inspect}"
      end
    end
  end
end
