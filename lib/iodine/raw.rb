# frozen_string_literal: true

module Iodine
  # Listeners for protocols of the application's own.
  # @api private
  module Raw
    SECONDS = (0..255)

    class << self
      # Marks the endpoints as raw. HTTP's defaults are not theirs: a connection may be silent for ever.
      # @param options [Hash] of the call and DEFAULT_SETTINGS
      # @param given [Hash] the call's own
      # @return [Hash] the options
      # @raise [TypeError, RangeError]
      def call(endpoints, options, given)
        endpoints.each { |endpoint| endpoint.raw = true }
        options.merge(raw: true, timeout: timeout(given), ping: 0, public: nil, log: false)
      end

      private

      def timeout(given)
        Number.check(:timeout, given[:timeout] || given[:ping] || 0, SECONDS)
      end
    end
  end
  private_constant :Raw
end
