# frozen_string_literal: true

require_relative 'systemd/notify'

module Iodine
  # What systemd is told of this process: that it is ready, reloads or stops, how it is, and that it is alive. The root
  # alone tells it.
  # @api private
  module Systemd
    OF_ONE_PROCESS = %w[WATCHDOG_PID].freeze # variables that mean a process by its number
    EVERY = 10 # seconds between two looks at how it is

    class << self
      # It is up. From here on the thread that waits for events shows that it does.
      # @param events [Events]
      # @yieldreturn [String, nil] how it is; nil: it serves nobody
      def begin(events, &status)
        return unless Notify.possible?

        @pid = ::Process.pid
        @status = status
        tell(READY: 1)
        tick
        Thread.new do
          loop do
            sleep pause
            events << -> { tick }
          end
        end
      end

      # A restart of the workers, or of all, begins …
      def reloading
        @reloading = true
        tell(RELOADING: 1, MONOTONIC_USEC: ::Process.clock_gettime(::Process::CLOCK_MONOTONIC, :microsecond))
      end

      # … and is over.
      def reloaded
        tell(READY: 1) if @reloading
        @reloading = false
      end

      def stopping
        tell(STOPPING: 1)
      end

      # Its successor is the one to supervise; this one is out of it.
      def handed_over(pid)
        tell(MAINPID: pid, READY: 1)
        @pid = nil
      end

      private

      def tell(**states)
        Notify.call(**states) if @pid == ::Process.pid
      end

      def tick
        status = @status.call
        tell(WATCHDOG: 1) if status && watchdog
        return if status == @told

        tell(STATUS: status || 'no worker is up')
        @told = status
      end

      # Twice in the time that systemd waits, as it wants.
      def pause
        [watchdog&./(2), EVERY].compact.min
      end

      # @return [Float, nil] seconds
      def watchdog
        pid = ENV.fetch('WATCHDOG_PID', '')
        return unless pid.empty? || pid.to_i == @pid

        seconds = ENV.fetch('WATCHDOG_USEC', '').to_i / 1e6
        seconds if seconds.positive?
      end
    end
  end
  private_constant :Systemd
end
