# frozen_string_literal: true

module Iodine
  # USR2: the program is started once more, for new code, gems or another Ruby, and gets the listening sockets. Once it
  # is up this process retires; if it fails to come up, this one stays.
  # @api private
  class Restart
    # @param events [Events] gets :retire when another process has taken over
    def initialize(events)
      @events = events
    end

    def begin
      return Log.warning('a hot restart is under way: this USR2 is ignored') if @successor

      Systemd.reloading
      @successor = Successor.new(Listeners.descriptors, Keeper.pipe)
      Log.info("process #{@successor.pid} is to take the place of this one")
      follow(@successor)
    rescue SystemCallError => e
      failed("#{e.message}: what started this one is to be there still")
    end

    # This process stops, and with it whoever was to take its place.
    def cancel
      @cancelled = true
      @successor&.dismiss unless @done
    end

    private

    def follow(successor)
      Thread.new do
        failure = failure_of(successor)
        @events << -> { failure ? failed(failure) : succeeded }
      end
    end

    # Whatever goes wrong here, another USR2 must find this one at an end.
    def failure_of(successor)
      successor.failure
    rescue StandardError => e
      Log.summary(e)
    end

    def failed(reason)
      return if @cancelled

      @successor = nil
      Log.error("the hot restart failed: #{reason}: this process goes on")
      Systemd.reloaded
    end

    def succeeded
      return if @cancelled

      @done = true
      Log.info("process #{@successor.pid} has taken over: this one finishes what it has begun")
      Listeners.hand_over
      Systemd.handed_over(@successor.pid)
      Keeper.announce(@successor.pid)
      @events << :retire
    end
  end
  private_constant :Restart
end
