# frozen_string_literal: true

# 3 MB as one String, or for /many as 768 of 4 KB.
type = 'application/octet-stream'
one = 'x' * (3 << 20)
piece = 'x' * 4096

run(lambda do |env|
  body = env['PATH_INFO'] == '/many' ? Array.new(768, piece) : [one]
  [200, { 'content-type' => type }, body]
end)
