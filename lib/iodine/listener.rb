# frozen_string_literal: true

module Iodine
  # One call of {Iodine.listen}: an application, where it is served, and its limits.
  # @api private
  class Listener
    # Option → the C settings' key, factor to its unit, and the range of the option.
    LIMITS = {
      timeout: [:keep_alive, 1000, 0..2_000_000],
      head_timeout: [:head_timeout, 1000, 0..2_000_000],
      body_timeout: [:body_timeout, 1000, 0..2_000_000],
      write_timeout: [:write_timeout, 1000, 0..2_000_000],
      max_body: [:max_body, 1 << 20, 1..(1 << 30)],
      max_pending: [:max_pending, 1 << 20, 1..(1 << 20)],
      max_msg: [:max_message, 1 << 10, 1..(1 << 20)],
      ping: [:ping, 1, 0..255],
      max_clients: [:max_clients, 1, 0..(1 << 30)],
      max_per_address: [:max_per_address, 1, 0..(1 << 30)],
      max_queue: [:max_queue, 1, 0..(1 << 30)],
      queue_timeout: [:queue_timeout, 1, 0..2_000_000_000],
      request_timeout: [:request_timeout, 1000, 0..2_000_000],
      backlog: [:backlog, 1, 1..65_535],
      mode: [:mode, 1, 0..0o777]
    }.freeze
    LINE = 8192 # bytes of a header line, and of the request line

    attr_reader :app, :endpoints, :names, :tls

    # @param options [Hash] with every key of DEFAULT_SETTINGS
    # @param tls [TLS, nil] for the endpoints that are secure
    def initialize(app, endpoints, options, tls)
      @app = app
      @endpoints = endpoints
      @tls = tls
      @settings = LIMITS.to_h do |option, (key, factor, range)|
        [key, Number.check(option, options[option], range) * factor]
      end
      @settings.update(head_limits(options[:max_headers]))
      @settings.update(Proxies.settings(options, endpoints))
      @settings.update(Origins.settings(options))
      @settings.update(log: options[:log] ? 1 : 0, raw: options[:raw] ? 1 : 0, inside: options[:inside])
      @settings.update(Public.settings(options))
    end

    # @return [String, nil] of its static files
    def folder
      @settings[:public]&.first
    end

    # Is it for a protocol of the application's own?
    def raw?
      @settings[:raw] == 1
    end

    # @raise [RuntimeError] with the address and the reason
    def bind(server)
      @server = server
      @context = @tls&.context
      @secured = []
      @names = @endpoints.flat_map do |endpoint|
        bound = endpoint.bind(server, settings_of(endpoint), @app)
        @secured.concat(bound) if endpoint.secure
        bound.map { |name| "#{endpoint.title}://#{name}" }
      end
    end

    # What its tls has now is for the connections that come.
    def secure
      return if @context.equal?(@tls.context)

      @context = @tls.context
      @secured.each { |name| @server.secure(name, @context) }
    end

    def same?(other)
      @endpoints.any? { |mine| other.endpoints.any? { |theirs| mine.same?(theirs) } }
    end

    # @return [Array<Array(Integer, String)>] as Endpoint has it
    def descriptors
      @endpoints.flat_map(&:descriptors)
    end

    def hand_over
      @endpoints.each(&:hand_over)
    end

    def remove
      @endpoints.each(&:remove)
    end

    private

    def settings_of(endpoint)
      return @settings.merge(url_scheme: 'http') unless endpoint.secure

      @settings.merge(url_scheme: 'https', tls: @context, protocols: @tls.protocols)
    end

    # The build has the last word: its ceilings are the defaults.
    def head_limits(kilobytes)
      most = Server.build[:max_header_length]
      head = kilobytes.nil? ? most : Number.check(:max_headers, kilobytes, 1..(most / 1024)) * 1024
      line = [LINE, head].min
      { max_head: head, max_line: line, max_request_line: line, max_headers: Server.build[:max_header_count] }
    end
  end
  private_constant :Listener
end
