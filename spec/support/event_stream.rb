# frozen_string_literal: true

require_relative 'raw_client'

module Support
  # A client of server-sent events: reads them as a browser does, and shows comments too.
  class EventStream
    Event = Struct.new(:type, :data, :id, :retry, :comments)

    # raw: the bytes below · response: the head · text: all that came, as it is
    attr_reader :raw, :response, :text

    # @param raw [RawClient]
    def initialize(raw, path = '/', headers = {})
      @raw = raw
      @text = String.new(encoding: Encoding::BINARY)
      lines = { 'host' => 'localhost', 'accept' => 'text/event-stream' }.merge(headers).filter_map do |name, value|
        "#{name}: #{value}\r\n" if value
      end
      @response = raw.write("GET #{path} HTTP/1.1\r\n#{lines.join}\r\n").receive(head_only: true)
    end

    # @return [Event] the next block of lines
    def read
      block = raw.take_through("\n\n", 'an event')
      @text << block
      event = Event.new(nil, nil, nil, nil, [])
      block.delete_suffix("\n").force_encoding(Encoding::UTF_8).each_line(chomp: true) { |line| take_line(event, line) }
      event
    end

    # @return [String] the data of the next event that has some
    def data
      loop do
        event = read
        return event.data if event.data
      end
    end

    # True when the server closes, within the client's time limit, without another byte.
    def over?
      raw.closed_by_peer?
    end

    private

    def take_line(event, line)
      name, value = line.split(': ', 2)
      case name
      when '' then event.comments << value
      when 'event' then event.type = value
      when 'data' then event.data = [event.data, value.to_s].compact.join("\n")
      when 'id' then event.id = value.to_s
      when 'retry' then event.retry = Integer(value, 10)
      else raise "an unknown field: #{line.inspect}"
      end
    end
  end
end
