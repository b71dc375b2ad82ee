# frozen_string_literal: true

module Iodine
  # Where a call of {Iodine.listen} speaks TLS, and with what.
  # @api private
  module Secure
    SCHEMES = %w[https wss].freeze
    ALL = [*SCHEMES, 'tls'].freeze # of raw listeners too
    PLAIN = %w[http ws unix raw tcp].freeze

    class << self
      # Marks the endpoints that are secure.
      # @param options [Hash] of the call and DEFAULT_SETTINGS
      # @param given [TLS, nil, false] the call's own :tls
      # @return [TLS, nil] nil when none is
      def call(endpoints, options, given)
        tls = check(options[:tls])
        secure = ALL.include?(options[:service].to_s) ? endpoints : choose(endpoints, tls, given)
        secure.each { |endpoint| endpoint.secure = true }
        complete(tls) unless secure.empty?
      end

      # Without more words, is it plain HTTP?
      def plain?(endpoint)
        PLAIN.include?(endpoint.scheme) || endpoint.unix? || (endpoint.raw && endpoint.scheme != 'tls')
      end

      private

      def check(tls)
        return tls || nil if !tls || tls.is_a?(TLS)

        raise TypeError, "tls must be an Iodine::TLS, not #{tls.class}: make one with Iodine::TLS.new"
      end

      # Those whose URL says so, else all; but what the command line has for all leaves http:// alone.
      def choose(endpoints, tls, given)
        named = endpoints.select { |endpoint| (endpoint.raw ? ALL : SCHEMES).include?(endpoint.scheme) }
        return named unless named.empty? && tls

        given ? endpoints : endpoints.reject { |endpoint| plain?(endpoint) }
      end

      def complete(tls)
        tls ||= TLS.new
        return tls if tls.certificate?

        require 'socket'
        name = Socket.gethostname
        Log.warning("no certificate was given: TLS has a self-signed one for #{name}, which clients don't trust: " \
                    'use tls:, or -tls-cert and -tls-key')
        tls.use_certificate(name)
      end
    end
  end
  private_constant :Secure
end
