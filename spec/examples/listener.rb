# frozen_string_literal: true

require 'delegate'
require 'json'

# Whoever waits for an event of a stream, in the specs of the examples.
class Listener
  # With its data as JSON.
  class Event < SimpleDelegator
    def json
      JSON.parse(data)
    end
  end

  # @param stream [Support::EventStream]
  def initialize(stream)
    @stream = stream
  end

  # The next event with data that the block likes; those before it are dropped.
  # @return [Event]
  def wait
    loop do
      event = Event.new(@stream.read)
      return event if event.data && (!block_given? || yield(event))
    end
  end

  def close
    @stream.raw.close
  end

  # For RSpec.
  module Helpers
    # Opens an event stream of @server, which is closed after the example.
    def events(path, headers = {}, server: @server)
      Listener.new(Support::EventStream.new(dial(server, timeout: 20), path, headers))
    end
  end
end

RSpec.configure { |config| config.include Listener::Helpers }
