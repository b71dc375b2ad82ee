# frozen_string_literal: true

# The strings are captured, not written in the block, so that Rack 2 (which ignores the comment above) makes no more of
# them a request than Rack 3 does. The Hash and both Arrays are new each time.
type = 'text/plain'
text = 'Hello World'

run ->(_env) { [200, { 'content-type' => type }, [text]] }
