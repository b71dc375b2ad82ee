# frozen_string_literal: true

require 'iodine'
require_relative 'cli/options'
require_relative 'cli/parser'
require_relative 'cli/help'
require_relative 'cli/command'

module Iodine
  # The program `iodine`.
  # @api private
  module CLI
    INTERRUPTED = 130 # 128 and the number of INT, as shells have it

    # @return [Integer] the exit status
    def self.run(arguments)
      Signals.ignore_early
      execute(Parser.new(arguments))
      0
    rescue Option::Error => e
      warn "iodine: #{e.message}"
      Predecessor.down(e.message)
      USAGE
    rescue Interrupt
      INTERRUPTED
    rescue StandardError, ScriptError => e
      fail_with(e)
    end

    def self.execute(parser)
      flags = parser.values
      return puts("iodine #{VERSION}") if flags[:version]
      return puts(Help.text) if flags[:help]

      command = Command.new(flags, parser.files)
      flags[:check] ? check(command) : serve(command)
    end

    def self.serve(command)
      command.configure
      command.nothing_to_do? ? puts(Help.text) : command.run
    end

    # Whatever is wrong is one line, the application's own Ruby in the configuration file included.
    def self.check(command)
      command.configure
      raise Option::Error, 'there is nothing to serve: name a file, or a folder with -www' if command.nothing_to_do?

      command.report
    rescue Option::Error
      raise
    rescue StandardError, ScriptError => e
      place = e.backtrace_locations&.first
      place = "#{place.path}:#{place.lineno}: " if place && !e.is_a?(SyntaxError) # which says it itself
      raise Option::Error, "#{place}#{Log.summary(e)}"
    end
    private_class_method :execute, :serve, :check

    # What this gem raises is a sentence for the user; the application's own errors need their backtrace.
    def self.fail_with(error)
      Predecessor.down(Log.summary(error))
      if error.backtrace_locations&.first&.absolute_path.to_s.start_with?("#{__dir__}/")
        Log.fatal(error.message)
      else
        Log.exception('the application failed', error)
      end
      1
    end
    private_class_method :fail_with
  end
end
