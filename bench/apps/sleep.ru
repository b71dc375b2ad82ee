# frozen_string_literal: true

# A request that waits 10 ms for something else: a database, another service.
type = 'text/plain'
text = 'Hello World'

run(lambda do |_env|
  sleep 0.01
  [200, { 'content-type' => type }, [text]]
end)
