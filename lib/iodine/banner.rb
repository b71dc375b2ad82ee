# frozen_string_literal: true

module Iodine
  # The first lines of a start.
  # @api private
  module Banner
    class << self
      def show(threads, workers)
        Log.info("iodine #{VERSION}, #{RUBY_ENGINE} #{RUBY_VERSION}, #{Server.poller}, PID #{::Process.pid}")
        Log.info("#{count(workers, 'worker')} × #{count(threads, 'thread')}, up to #{Server.capacity} connections each")
        shortage = Cores.shortage if Settings.unset?
        Log.info(shortage) if shortage
        name(Listeners.names)
        Metrics.names.each { |name| Log.info("telling how it is doing on #{name}") }
        Listeners.folders.each { |folder| Log.info("serving the files of #{folder}") }
      end

      # @param names [Array<String>] of listeners
      def name(names)
        names.each { |name| Log.info("listening on #{name}") }
      end

      # "1 worker", "2 workers"
      def count(number, noun)
        "#{number} #{noun}#{'s' unless number == 1}"
      end
    end
  end
  private_constant :Banner
end
