# frozen_string_literal: true

require 'rbconfig'

module Iodine
  # How this program was started, so that it can be started once more. Read when the gem is loaded, before the
  # application changes any of it.
  # @api private
  module Program
    RUBY = /\Aruby[\d.]*\z/ # how its executable is named, also by systems with several

    class << self
      # @return [Hash] what it was started in
      attr_reader :environment
      # @return [String] the way it was reached: "current" stays that, wherever it points by then
      attr_reader :directory

      def remember
        @name = $PROGRAM_NAME
        @arguments = ARGV.dup
        @place = working_directory
        @directory = logical(ENV.fetch('PWD', '')) || @place
        @words = words('cmdline')
        @environment = variables
        gemfile = @environment['BUNDLE_GEMFILE'] # Bundler has made it absolute
        @environment['BUNDLE_GEMFILE'] = follow(gemfile) if gemfile
      end

      # @return [Array<String>] the command with its arguments
      def command
        words = ruby?(@words.first) ? @words : [RbConfig.ruby, @name, *arguments]
        words.map { |word| follow(word) }
      end

      private

      def working_directory
        Dir.pwd
      rescue SystemCallError
        '/' # somebody has removed it
      end

      def logical(path)
        path if path.start_with?('/') && File.identical?(path, @place)
      end

      # As the system has them: Ruby's own options are nowhere else, nor the arguments that a program like rackup takes
      # off ARGV.
      def words(name)
        words = File.binread("/proc/self/#{name}").split("\0", -1)
        words.pop while words.last&.empty? && words.size > 1
        words
      rescue SystemCallError
        ['']
      end

      # Else somebody, Bundler for one, has written a title over it, and perhaps over the environment behind it.
      def ruby?(word)
        !word.include?(' ') && File.basename(word).match?(RUBY)
      end

      # rackup and others load the application first, and that may have changed ENV.
      def variables
        pairs = ruby?(@words.first) ? words('environ').map { |word| word.split('=', 2) } : []
        pairs.any? && pairs.all? { |pair| pair.size == 2 } ? pairs.to_h : ENV.to_h
      end

      # A title in Bundler's way has the arguments in one line.
      def arguments
        title = @words.first
        whole = [@name, *@arguments].join(' ').b
        return @arguments if title == whole || !title.start_with?("#{@name} ".b)

        title.delete_prefix(@name.b).split
      end

      # Bytes: nobody has promised that they are text.
      def follow(word)
        rest = word.b.delete_prefix(@place.b)
        return word if rest.bytesize == word.bytesize || !rest.match?(%r{\A(?:/|\z)}n)

        @directory.b + rest
      end
    end

    remember
  end
  private_constant :Program
end
