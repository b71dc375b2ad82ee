# frozen_string_literal: true

require_relative 'raw_client'

module Support
  # Clients that ask again and again, each on a thread, half of them on kept connections; what goes wrong is noted.
  #
  #   load = Load.new(server, 80)
  #   …
  #   load.finish.failures   # => []
  class Load
    PAUSE = 0.01 # seconds between two requests, at most

    # answered: how many requests · failures: what went wrong, in words · tolerated: how often it was to be expected
    attr_reader :answered, :failures, :tolerated

    # The block, if any, is given an error and the last answer on the same connection (nil: there was none), and tells
    # whether that was to be expected.
    def initialize(server, clients, path: '/', &expected)
      @server = server
      @path = path
      @expected = expected || proc { false }
      @answered = @tolerated = 0
      @failures = []
      @lock = Mutex.new
      @threads = Array.new(clients) { |number| Thread.new { run(keep: number.even?) } }
    end

    # Each client ends after its answer.
    def finish
      @over = true
      @threads.each(&:join)
      self
    end

    private

    def run(keep:)
      connection = last = nil
      until @over
        unless connection
          connection = @server.client(timeout: 30)
          last = nil
        end
        last = ask(connection, keep)
        connection = connection.close if last['connection'] == 'close' # which is nil
        sleep rand * PAUSE
      end
    rescue StandardError => e
      fail_with(e, last)
      connection = connection&.close
      retry unless @over
    ensure
      connection&.close
    end

    def fail_with(error, last)
      @lock.synchronize do
        next @tolerated += 1 if @expected.call(error, last)

        @failures << "#{error.class}: #{error.message}"
      end
    end

    def ask(connection, keep)
      response = connection.get(@path, keep ? {} : { 'connection' => 'close' })
      @lock.synchronize do
        @answered += 1
        @failures << "status #{response.status}" unless response.status == 200
      end
      response
    end
  end
end
