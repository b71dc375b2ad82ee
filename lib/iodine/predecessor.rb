# frozen_string_literal: true

module Iodine
  # The process whose place this one takes, if there is one: it waits to hear that this one is up, or why it isn't.
  # @api private
  module Predecessor
    VARIABLE = 'IODINE_HANDOVER' # "pid=7 report=5 sockets=8,9* keeper=6"
    UP = '+' # what is reported; FAILED comes with the reason
    FAILED = '-'

    class << self
      # @return [Integer, nil]
      attr_reader :pid
      # @return [Array<String>] descriptors of listening sockets, each with its mark (see Inherited)
      attr_reader :sockets
      # @return [IO, nil] for the keeper, which wants to know of each successor
      attr_reader :keeper

      # Nothing of it is for what this process starts.
      def read
        words = ENV.delete(VARIABLE).to_s.split.to_h { |word| word.split('=', 2) }
        @pid = words['pid']&.to_i
        @report, @keeper = words.values_at('report', 'keeper').map { |number| pipe(number) }
        @sockets = words['sockets'].to_s.split(',')
        watch_end if waiting?
      end

      # Is there one that serves until this one is up?
      def waiting?
        !@report.nil?
      end

      def up
        say(UP)
      end

      # @param reason [String] one line
      def down(reason)
        say("#{FAILED}#{reason}")
      end

      # In a forked worker.
      def forget
        [@report, @keeper].compact.each(&:close)
        @report = @keeper = nil
      end

      private

      def watch_end
        @reader = ::Process.pid
        at_exit { down(reason) }
      end

      def pipe(number)
        IO.for_fd(Integer(number, 10), 'w').tap { |io| io.sync = io.close_on_exec = true } if number
      rescue SystemCallError, ArgumentError
        nil
      end

      # Once, and by no process that the application forked.
      def say(text)
        return unless waiting? && ::Process.pid == @reader

        @report.syswrite(text)
        @report.close
        @report = nil
      rescue SystemCallError
        @report = nil # it died; this one goes on alone
      end

      # Why this process ends.
      def reason
        case (error = $!) # rubocop:disable Style/SpecialGlobalVars -- what English names is the same
        when nil then 'it ended before it served'
        when SystemExit then "it ended with status #{error.status}"
        else Log.summary(error)
        end
      end
    end

    read
  end
  private_constant :Predecessor
end
