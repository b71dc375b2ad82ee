# frozen_string_literal: true

# The server's own lines.
module Iodine
  # The server's own lines, written by C to standard error if the verbosity lets them, or handed to a logger.
  # @api private
  module Log
    LEVELS = { fatal: 1, error: 2, warning: 3, info: 4, debug: 5 }.freeze

    @logger = nil

    class << self
      # @return [#add, nil]
      attr_reader :logger

      LEVELS.each { |name, level| define_method(name) { |line| write(level, line) } }

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

      # @param logger [#add, nil] nil: standard error
      def logger=(logger)
        @logger = logger
        logger ? hand_over : Server.undivert
      end

      # In a forked worker, where C has nobody to hand its lines to yet.
      def forked
        hand_over if @logger
      end

      private

      # A thread takes what C writes, since C must not call Ruby where that comes up.
      def hand_over
        Server.divert
        Thread.new { follow }.name = 'iodine log'
        at_exit { Server.undivert } unless @followed
        @followed = true
      end

      def follow
        while (level, line = Server.next_line)
          deliver(level, line)
        end
      end

      def write(level, line)
        return Server.log(level, line) unless @logger

        deliver(level, line) if level <= Iodine.verbosity
      end

      # A logger that fails, in a trap as well, loses no line.
      def deliver(level, line)
        @logger.add(LEVELS.size - 1 - (level - 1), line.to_s)
      rescue StandardError
        Server.print(level, line)
      end
    end
  end
  private_constant :Log

  class << self
    # @return [#add, nil] who gets the server's own lines; nil: standard error
    def logger
      Log.logger
    end

    # Who gets the server's own lines, those that {verbosity} lets through, with their severity. The access log is not
    # among them. While the logger can't be called (Ruby is busy with something else for a second) they go to standard
    # error.
    # @param logger [Logger, #add, nil] nil: standard error again
    # @raise [TypeError]
    def logger=(logger)
      unless logger.nil? || logger.respond_to?(:add)
        raise TypeError, "logger must be a Logger, or have its method add, not #{logger.class}"
      end

      Log.logger = logger
    end
  end
end
