# frozen_string_literal: true

# Prices, as an event stream (SSE): bin/iodine examples/ticker/config.ru
# In a terminal: curl -N -H 'accept: text/event-stream' localhost:3000/ticks
require_relative 'ticker'

use Rack::Static, root: __dir__, urls: { '/' => 'index.html' }
run Ticker
