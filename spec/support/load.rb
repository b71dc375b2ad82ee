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

    # answered: how many requests · failures: what went wrong, in words
    attr_reader :answered, :failures

    def initialize(server, clients, path: '/')
      @server = server
      @path = path
      @answered = 0
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
      connection = nil
      until @over
        connection, closes = ask(connection || @server.client(timeout: 30), keep)
        connection = connection.close if connection && closes
        sleep rand * PAUSE
      end
    rescue StandardError => e
      @lock.synchronize { @failures << "#{e.class}: #{e.message}" }
      retry unless @over
    ensure
      connection&.close
    end

    def ask(connection, keep)
      response = connection.get(@path, keep ? {} : { 'connection' => 'close' })
      @lock.synchronize do
        @answered += 1
        @failures << "status #{response.status}" unless response.status == 200
      end
      [connection, response['connection'] == 'close']
    end
  end
end
