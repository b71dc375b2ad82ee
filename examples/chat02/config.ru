# frozen_string_literal: true

# A chat as it was written for iodine 0.2: cd examples/chat02 && ../../bin/iodine -w 1 -www .
# It is one process's: `each` and `count` know no other.
require_relative 'chat'

run(lambda do |env|
  next [404, { 'content-type' => 'text/plain' }, ["There is nothing here.\n"]] unless env['upgrade.websocket?']

  env['upgrade.websocket'] = Chat # the class: each connection gets an instance
  [0, {}, []]
end)
