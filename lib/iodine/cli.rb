# frozen_string_literal: true

require 'iodine'
require_relative 'cli/option'
require_relative 'cli/options'
require_relative 'cli/parser'
require_relative 'cli/help'
require_relative 'cli/encryption'
require_relative 'cli/command'

module Iodine
  # The program `iodine`.
  # @api private
  module CLI
    USAGE = 64 # sysexits' number for a wrong command line
    INTERRUPTED = 130 # 128 and the number of INT, as shells have it

    # @return [Integer] the exit status
    def self.run(arguments)
      execute(Parser.new(arguments))
      0
    rescue Option::Error => e
      warn "iodine: #{e.message}"
      USAGE
    rescue Interrupt
      INTERRUPTED
    rescue StandardError, ScriptError => e
      fail_with(e)
    end

    def self.execute(parser)
      return puts("iodine #{VERSION}") if parser.values[:version]

      command = Command.new(parser.values, parser.files)
      return puts(Help.text) if parser.values[:help] || command.nothing_to_do?

      command.check
      command.run
    end
    private_class_method :execute

    # What this gem raises is a sentence for the user; the application's own errors need their backtrace.
    def self.fail_with(error)
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
