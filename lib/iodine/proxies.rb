# frozen_string_literal: true

module Iodine
  # Which proxies a listener trusts, and whether they speak the PROXY protocol.
  # @api private
  module Proxies
    class << self
      # @param options [Hash] :trusted_proxy and :proxy_protocol, as for {Iodine.listen}
      # @param endpoints [Array<Endpoint>]
      # @return [Hash] for the C settings
      # @raise [ArgumentError, TypeError]
      def settings(options, endpoints)
        networks = Array(options[:trusted_proxy]).each { |network| check(network) }
        if options[:proxy_protocol] && networks.empty? && !endpoints.all?(&:unix?)
          raise ArgumentError, 'proxy_protocol needs trusted_proxy: name the networks of the proxies, ' \
                               'such as 10.0.0.0/8; it refuses all other connections'
        end

        { trusted_proxy: networks, proxy_protocol: options[:proxy_protocol] ? 1 : 0 }
      end

      def check(network, option = :trusted_proxy)
        raise TypeError, "#{option} must be a String, not #{network.class}" unless network.is_a?(String)
        return if Server.network?(network)

        raise ArgumentError, "#{option} #{network.inspect} is no network: " \
                             'write it as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32'
      end
    end
  end
  private_constant :Proxies
end
