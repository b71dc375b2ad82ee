# frozen_string_literal: true

# Reads the request's body in pieces of 64 KB, as a multipart parser does, and answers its length. A short one is an
# error.
type = 'text/plain'

run(lambda do |env|
  input = env['rack.input']
  piece = String.new(capacity: 65_536)
  length = 0
  length += piece.bytesize while input&.read(65_536, piece)
  raise "#{length} bytes came" if length.to_s != env['CONTENT_LENGTH']

  [200, { 'content-type' => type }, [length.to_s]]
end)
