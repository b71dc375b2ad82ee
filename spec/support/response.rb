# frozen_string_literal: true

module Support
  # A response as RawClient reads it.
  class Response
    # chunks: the parts of a chunked body as they were framed
    attr_reader :head, :version, :status, :reason, :lines, :body, :chunks

    def initialize(head)
      @head = head
      status_line, *rest = head.split("\r\n")
      match = %r{\AHTTP/(1\.[01]) (\d{3}) ?(.*)\z}.match(status_line) or raise "not a status line: #{head.inspect}"
      @version = match[1]
      @status = match[2].to_i
      @reason = match[3]
      @lines = rest.map { |line| line.split(/:[ \t]*/, 2) }
      @body = String.new(encoding: Encoding::BINARY)
      @chunks = []
    end

    # The value of a header, in any case; several lines joined with ", "; nil without one.
    def [](name)
      headers[name.downcase]
    end

    # Name (lower case) => value, several lines joined with ", ".
    def headers
      lines.each_with_object({}) do |(name, value), all|
        all[name.downcase] = [all[name.downcase], value].compact.join(', ')
      end
    end

    # The values of all lines of a header.
    def all(name)
      lines.select { |line| line[0].casecmp?(name) }.map(&:last)
    end

    def interim?
      status < 200
    end

    def bodyless?
      interim? || [204, 304].include?(status)
    end

    def chunked?
      self['transfer-encoding'].to_s.casecmp?('chunked')
    end
  end
end
