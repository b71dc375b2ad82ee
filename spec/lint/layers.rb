# frozen_string_literal: true

# Checks the layers of ext/iodine (docs/architecture.md): includes go to the same folder or one above it, Ruby's headers
# are only in bridge/, and base/ and protocol/ know no sockets. One line for each finding; status 1 if there is any.

ROOT = File.expand_path('../../ext/iodine', __dir__)
LAYERS = %w[base protocol reactor server bridge].freeze
INCLUDE = /\A\s*#\s*(?:include|import)\s*(?<quote>["<])(?<path>[^">]+)[">]/
RUBY_HEADER = %r{\A(?:ruby|rubysig|rubyio)(?:\.h|/)}
SOCKET_HEADER = %r{
  \A(?:sys/(?:socket|un|epoll|event|eventfd|uio|sendfile|select)|(?:netinet|arpa|net)/.*|netdb)\.h\z
}x
SOCKETLESS = %w[base protocol].freeze

# What is wrong with an include of a file of the folder `layer`, or nil.
def fault(layer, file, quote, path)
  return fault_of_system(layer, path) if quote == '<' || path.match?(RUBY_HEADER)

  target = File.expand_path(path, File.dirname(file))
  return "#{path} does not exist" unless File.file?(target)

  other = target.delete_prefix("#{ROOT}/").split('/').first
  return "#{path} is not in a layer" unless LAYERS.include?(other)

  "#{layer}/ may not include #{other}/" if LAYERS.index(other) > LAYERS.index(layer)
end

def fault_of_system(layer, path)
  return "Ruby's #{path} belongs in bridge/ only" if path.match?(RUBY_HEADER) && layer != 'bridge'

  "#{layer}/ may not include the socket header #{path}" if SOCKETLESS.include?(layer) && path.match?(SOCKET_HEADER)
end

def faults_of(file)
  layer = file.delete_prefix("#{ROOT}/").split('/').first
  return ["#{file}:1: is in none of the folders #{LAYERS.join(', ')}"] unless LAYERS.include?(layer)

  File.foreach(file).with_index(1).filter_map do |line, number|
    found = INCLUDE.match(line) or next
    wrong = fault(layer, file, found[:quote], found[:path])
    "#{file}:#{number}: #{wrong}" if wrong
  end
end

faults = Dir[File.join(ROOT, '**', '*.{c,h}')].flat_map { |file| faults_of(file) }
puts(faults.map { |line| line.delete_prefix("#{File.expand_path('../..', __dir__)}/") })
exit 1 unless faults.empty?
