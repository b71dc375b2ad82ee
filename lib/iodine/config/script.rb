# frozen_string_literal: true

require_relative 'words'
require_relative 'puma'

module Iodine
  module Config
    # A configuration file. It is Ruby that runs on main, with the API of Iodine and the words of {Words} at hand.
    # @api private
    class Script
      attr_reader :path
      # @return [Hash] of what the words set, by the options' keys
      attr_reader :values
      # @return [Hash{Symbol => String}] where: "config/iodine.rb:3"
      attr_reader :places

      # @param named [Boolean] on the command line: it may use words of Puma as well
      def initialize(path, named:)
        @path = path
        @full = File.expand_path(path)
        @puma = Puma.new(self) if named
        @values = {}
        @places = {}
      end

      # @raise [CLI::Option::Error] when a word is unknown, or has a wrong value
      def run
        before = Settings.now
        Words.lend(words, method(:word)) { Kernel.load(@full) }
        note_changes(before)
      rescue NameError => e
        raise unless word?(e)

        raise CLI::Option::Error, "#{place(e.backtrace_locations)}: #{unknown(e.name)}"
      end

      # What a word sets is in force at once, for the Ruby below it.
      # @param arguments [Array] as they stand in the file
      def set(option, word, arguments)
        option.value ? give(option, word, arguments.flatten) : switch(option, word, arguments)
        @places[option.key] = place(caller_locations)
        Config.apply(@values)
      end

      private

      def words
        [*Words::OPTIONS.keys, *Words::STATES, *(Puma::WORDS if @puma)].uniq
      end

      def word(name, arguments, block)
        if Words::STATES.include?(name) then state(name, arguments, block)
        elsif @puma&.has?(name) then @puma.call(name, arguments, block)
        else set(Words::OPTIONS.fetch(name), name, arguments)
        end
      rescue CLI::Option::Error, TypeError, ArgumentError => e
        raise CLI::Option::Error, "#{place(caller_locations)}: #{e.message}"
      end

      def state(name, arguments, block)
        return Iodine.on_state(name, &block) unless name == :on_state
        raise ArgumentError, 'on_state takes one name: on_state(:on_start) { … }' unless arguments.size == 1

        Iodine.on_state(arguments.first, &block)
      end

      def give(option, word, arguments)
        unless arguments.size == 1 || (option.repeats? && arguments.any?)
          raise CLI::Option::Error, "#{word} takes one value, not #{arguments.size}: #{word} #{option.value}"
        end

        arguments.each { |argument| option.store(@values, argument.to_s, word.to_s) }
      end

      # As on the command line a word alone says true.
      def switch(option, word, arguments)
        case arguments
        when [], [true] then option.store(@values, nil, word.to_s)
        when [false] then @values[option.key] = false
        else raise CLI::Option::Error, "#{word} is true or false, not #{arguments.map(&:inspect).join(', ')}"
        end
      end

      # Ruby of the file may set things without words.
      def note_changes(before)
        Settings.now.each { |key, value| @places[key] ||= @path unless value == before[key] }
      end

      # What main doesn't have was meant as a word, if the file itself says it.
      def word?(error)
        error.backtrace_locations&.first&.path == @full && error.receiver.equal?(TOPLEVEL_BINDING.receiver)
      rescue ArgumentError
        false # it has no receiver
      end

      def unknown(name)
        near = DidYouMean::SpellChecker.new(dictionary: words).correct(name).first if defined?(DidYouMean)
        near ? "unknown setting #{name}: did you mean #{near}?" : "unknown setting #{name}: iodine -h lists all of them"
      end

      def place(locations)
        [@path, line(locations)].compact.join(':')
      end

      def line(locations)
        locations.find { |location| location.path == @full }&.lineno
      end
    end
  end
end
