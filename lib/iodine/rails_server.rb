# frozen_string_literal: true

module Iodine
  # What a Rails application that is served here needs to be told.
  # @api private
  module RailsServer
    class << self
      # Once an application is loaded, in whatever process.
      def attach
        return if @attached || !defined?(::ActionCable.server)

        @attached = true
        Iodine.on_state(:start_shutdown) { close_cable if Iodine.worker? }
      end

      # From here on the server's own lines are Rails.logger's, unless the application has chosen a logger. Those
      # before, what is served and where, are for who has started it.
      def take_log
        return if Iodine.logger || !defined?(::Rails.logger) || !::Rails.logger

        Iodine.logger = @logger = ::Rails.logger
      end

      # Why a start has failed is for who has started it, too.
      def leave_log
        Iodine.logger = nil if @logger && Iodine.logger.equal?(@logger)
      end

      private

      # Browsers are told to connect again, which brings them to a worker that stays.
      def close_cable
        ::ActionCable.server.restart
      end
    end
  end
  private_constant :RailsServer
end
