# frozen_string_literal: true

module Iodine
  # Which pages may open WebSockets, and whether these are compressed.
  # @api private
  module Origins
    class << self
      # @param options [Hash] :allowed_origin and :deflate, as for {Iodine.listen}
      # @return [Hash] for the C settings
      # @raise [ArgumentError, TypeError]
      def settings(options)
        origins = Array(options[:allowed_origin]).each { |origin| check(origin) }
        { allowed_origin: origins.map { |origin| origin.delete_suffix('/') }, deflate: options[:deflate] ? 1 : 0 }
      end

      def check(origin, option = :allowed_origin)
        raise TypeError, "#{option} must be a String, not #{origin.class}" unless origin.is_a?(String)
        return if Server.origin?(origin.delete_suffix('/'))

        raise ArgumentError, "#{option} #{origin.inspect} is no origin: " \
                             'write it as https://example.com or https://*.example.com'
      end
    end
  end
  private_constant :Origins
end
