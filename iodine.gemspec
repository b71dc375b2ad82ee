# frozen_string_literal: true

require_relative 'lib/iodine/version'

Gem::Specification.new do |spec|
  spec.name = 'iodine'
  spec.version = Iodine::VERSION
  spec.authors = ['The iodine authors']
  spec.summary = 'An evented HTTP server for Rack applications.'
  spec.description = 'A server core in C, bound to Ruby by a thin bridge: connections, parsing and writing go on ' \
                     'while Ruby is busy. For Rack 2 and 3, with worker processes and application threads.'
  spec.license = 'MIT'
  spec.metadata = { 'rubygems_mfa_required' => 'true' }

  spec.required_ruby_version = '>= 3.1'
  spec.files = Dir.chdir(__dir__) do
    Dir['lib/**/*.{rb,html}', 'sig/*.{rbs,yaml}', 'exe/*', 'ext/iodine/extconf.rb', 'ext/iodine/README.md',
        'ext/iodine/{base,protocol,reactor,server,bridge}/*.{c,h}', 'docs/**/*.md', 'docs/systemd/*', '*.md', 'LICENSE']
  end
  spec.bindir = 'exe'
  spec.executables = ['iodine']
  spec.require_paths = ['lib']
  spec.extensions = ['ext/iodine/extconf.rb']
end
