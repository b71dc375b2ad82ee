# frozen_string_literal: true

# The smallest application: bin/iodine examples/hello/config.ru
run ->(_env) { [200, { 'content-type' => 'text/plain' }, ["Hello from iodine\n"]] }
