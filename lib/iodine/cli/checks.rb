# frozen_string_literal: true

module Iodine
  module CLI
    # What is asked of the values of options before anything starts. Each raises an ArgumentError.
    # @api private
    module Checks
      SCHEMES = [nil, 'http', 'ws', 'unix', 'https', 'wss'].freeze

      ADDRESS = lambda do |address, given|
        parsed = Endpoint.parse(address, 0)
        unless SCHEMES.include?(parsed.scheme)
          raise ArgumentError, "#{address} is not available in this version of iodine: use http"
        end
      rescue ArgumentError => e
        raise ArgumentError, "#{given}: #{e.message}"
      end
      FOLDER = ->(folder, given) { Public.expand(given, folder) }
      NETWORK = ->(network, given) { Proxies.check(network, given) }
      ORIGIN = ->(origin, given) { Origins.check(origin, given) }
      METRICS = ->(address, given) { Metrics.endpoint(address, given) }
      LOG_FORMAT = ->(format, given) { AccessLog.check(format, given) }
      REDIS = ->(url, _) { PubSub::Redis.check(url) }
    end
  end
end
