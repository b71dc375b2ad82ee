# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # Where a Redis is, and who we are there. Whatever is shown of it is without the password.
      # @api private
      class Address
        PORT = 6379
        TCP = %w[redis rediss].freeze
        UNIX = %w[unix redis+unix].freeze

        # @param url [String, URI]
        # @raise [ArgumentError] with what is wrong with it
        # @raise [TypeError]
        def initialize(url)
          require 'uri'
          unless url.respond_to?(:to_str) || url.is_a?(URI::Generic)
            raise TypeError, "the URL of a Redis must be a String, not #{url.class}"
          end

          @given = url.to_s
          @uri = parse(with_scheme(@given))
          @options = unix? ? unix : tcp
        end

        # @return [Hash] what RedisClient takes
        def options
          @options.merge(credentials)
        end

        # @return [String] without user and password
        def to_s
          return "unix://#{@options[:path]}" if unix?

          host = @options[:host]
          "#{@uri.scheme}://#{host.include?(':') ? "[#{host}]" : host}:#{@options[:port]}"
        end

        def inspect
          "#<#{self.class} #{self}>"
        end

        private

        # "localhost:6379" and "/run/redis.sock" are as good.
        def with_scheme(text)
          return text if text.include?('://')

          text.start_with?('/') ? "unix://#{text}" : "redis://#{text}"
        end

        def parse(text)
          uri = URI(text)
          refuse('use redis://, rediss:// or unix://') unless (TCP + UNIX).include?(uri.scheme)
          uri
        rescue URI::InvalidURIError
          refuse('write it as redis://user:password@host:6379/0, with %40 and the like for what is special in a name')
        end

        def unix?
          UNIX.include?(@uri.scheme)
        end

        def unix
          path = decode("#{@uri.host}#{@uri.path}")
          refuse('it has no path') if path.empty?

          { path: path, db: database(query) }
        end

        def tcp
          host = @uri.hostname.to_s
          port = @uri.port || PORT
          refuse('it names no host') if host.empty?
          refuse("there is no port #{port}") unless (1..65_535).cover?(port)

          path = @uri.path.delete_prefix('/')
          { host: host, port: port, ssl: @uri.scheme == 'rediss', db: database(path.empty? ? query : path) }
        end

        def query
          URI.decode_www_form(@uri.query.to_s).to_h['db'].to_s
        rescue ArgumentError
          refuse("#{@uri.query.inspect} is no query")
        end

        def database(text)
          refuse("its database must be a number, not #{text.inspect}") unless text.match?(/\A\d{0,9}\z/)

          text.to_i
        end

        # A user alone is a password: so has redis-cli.
        def credentials
          user, password = [@uri.user, @uri.password].map { |text| decode(text) unless text.to_s.empty? }
          @uri.password.nil? ? { password: user } : { username: user, password: password }
        end

        def decode(text)
          text.gsub(/%\h\h/) { |code| code[1, 2].hex.chr(Encoding::BINARY) }.force_encoding(Encoding::UTF_8)
        end

        def refuse(reason)
          raise ArgumentError, "#{@given.sub(%r{//.*@}m, '//***@').inspect} is no URL of a Redis: #{reason}"
        end
      end
      private_constant :Address
    end
  end
end
