# frozen_string_literal: true

# TCP through HTTP, to places that are allowed: bin/iodine examples/tunnel/config.ru
# With a Redis on port 6379, and entrance.rb running too: redis-cli -p 6380
require_relative 'tunnel'

run Tunnel
