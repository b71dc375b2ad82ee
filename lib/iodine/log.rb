# frozen_string_literal: true

module Iodine
  # The server's own lines, written by C to standard error if the verbosity lets them.
  # @api private
  module Log
    LEVELS = { fatal: 1, error: 2, warning: 3, info: 4, debug: 5 }.freeze

    class << self
      LEVELS.each { |name, level| define_method(name) { |line| Server.log(level, line) } }

      # Warns the first time only.
      def once(key, line)
        @told ||= {}
        return if @told[key]

        @told[key] = true
        warning(line)
      end

      # An exception that ends what it interrupted, but not the server.
      def exception(context, exception)
        frames = exception.backtrace.to_a.map { |frame| "\n\t#{frame}" }
        error("#{context}: #{summary(exception)}#{frames.join}")
      end

      # One line: what did_you_mean and the like add below is left out.
      def summary(exception)
        "#{exception.message.lines.first.to_s.chomp} (#{exception.class})"
      end
    end
  end
  private_constant :Log
end
