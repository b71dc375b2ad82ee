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

      private

      # Browsers are told to connect again, which brings them to a worker that stays.
      def close_cable
        ::ActionCable.server.restart
      end
    end
  end
  private_constant :RailsServer
end
