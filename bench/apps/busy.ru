# frozen_string_literal: true

# Requests that keep an application thread: /spin computes for half a second and never gives way, /sleep waits, /stream
# writes a line each 10 ms. Every other path says hello.
type = 'text/plain'
text = 'Hello World'

clock = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }

lines = Object.new
def lines.each
  60_000.times do
    yield "line\n"
    sleep 0.01
  end
end

run(lambda do |env|
  case env['PATH_INFO']
  when '/spin'
    stop = clock.call + 0.5
    nil while clock.call < stop
  when '/sleep'
    sleep 600
  when '/stream'
    next [200, { 'content-type' => type }, lines]
  end
  [200, { 'content-type' => type }, [text]]
end)
