# frozen_string_literal: true

require 'json'

# What an API does: looks at some request headers, sends five of its own and a body of JSON.
type = 'application/json; charset=utf-8'
policy = 'private, max-age=0, must-revalidate'
vary = 'Accept-Encoding, Cookie'
options = 'nosniff'
count = 0

run(lambda do |env|
  count += 1
  answer = { 'id' => count, 'path' => env['PATH_INFO'], 'language' => env['HTTP_ACCEPT_LANGUAGE'],
             'known' => !env['HTTP_COOKIE'].nil?, 'items' => [1, 2, 3] }
  headers = { 'content-type' => type, 'cache-control' => policy, 'vary' => vary, 'x-content-type-options' => options,
              'x-request-id' => count.to_s }
  [200, headers, [JSON.generate(answer)]]
end)
