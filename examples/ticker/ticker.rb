# frozen_string_literal: true

require 'json'

# The prices of three things, once a second. Each tick has a number, its event's id. After a break the browser comes
# again by itself and says which it had last: it gets what it has missed.
# A tick follows from its number, so all workers tell the same.
class Ticker
  STEP = Integer(ENV.fetch('TICKER_MS', 1000)) # ms between two ticks, and until a browser comes again
  KEPT = 100 # more than so many aren't told again
  PRICES = { 'ruby' => 310, 'tea' => 4.2, 'bread' => 2.8 }.freeze

  class << self
    def call(env)
      if env['PATH_INFO'] == '/ticks' && env['rack.upgrade?'] == :sse
        env['rack.upgrade'] = new
        [200, {}, []]
      else
        [404, { 'content-type' => 'text/plain' }, ["There is nothing here but / and the event stream /ticks.\n"]]
      end
    end

    # The number of the latest tick.
    def number
      (Time.now.to_f * 1000 / STEP).floor
    end

    def prices(number)
      PRICES.each_with_index.to_h do |(name, price), n|
        [name, (price * (1 + (Math.sin((number / 9.0) + n) / 10) + (Math.sin(number * 2.3) / 50))).round(2)]
      end
    end
  end

  def on_open(client)
    now = Ticker.number
    last = Integer(client.last_event_id || '', 10, exception: false)
    @told = [last || (now - 1), now].min
    client.write_event(retry: STEP)
    client.subscribe('tick') { |_channel, number| tell(client, number.to_i) }
    tell(client, now)
  end

  private

  # All after the one that it was told last.
  def tell(client, number)
    [@told + 1, number - KEPT + 1].max.upto(number) do |n|
      client.write_event(event: 'tick', id: n.to_s, data: JSON.generate(Ticker.prices(n)))
    end
    @told = [@told, number].max
  end

  # In each process that serves, for its own clients.
  Iodine.on_state(:on_start) do
    Iodine.run_every(STEP) { Iodine.publish('tick', number.to_s, Iodine::PubSub::PROCESS) }
  end
end
