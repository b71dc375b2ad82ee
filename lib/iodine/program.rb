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
        @place = Dir.pwd
        @directory = logical(ENV.fetch('PWD', '')) || @place
        @words = command_line
        @environment = ENV.to_h
        gemfile = @environment['BUNDLE_GEMFILE'] # Bundler has made it absolute
        @environment['BUNDLE_GEMFILE'] = follow(gemfile) if gemfile
      end

      # @return [Array<String>] the command with its arguments
      def command
        words = ruby?(@words.first) ? @words : [RbConfig.ruby, @name, *arguments]
        words.map { |word| follow(word) }
      end

      private

      def logical(path)
        path if path.start_with?('/') && File.identical?(path, @place)
      end

      # Ruby's own options are to be had nowhere else, nor the arguments that a program like rackup takes off ARGV.
      def command_line
        words = File.read('/proc/self/cmdline').split("\0", -1)
        words.pop while words.last&.empty? && words.size > 1
        words
      rescue SystemCallError
        ['']
      end

      # Else somebody, Bundler for one, has written a title over it.
      def ruby?(word)
        !word.include?(' ') && File.basename(word).match?(RUBY)
      end

      # A title in Bundler's way has the arguments in one line.
      def arguments
        title = @words.first
        return @arguments if title == [@name, *@arguments].join(' ') || !title.start_with?("#{@name} ")

        title.delete_prefix(@name).split
      end

      def follow(word)
        word.sub(%r{\A#{Regexp.escape(@place)}(?=/|\z)}) { @directory }
      end
    end

    remember
  end
  private_constant :Program
end
