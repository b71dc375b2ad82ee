# frozen_string_literal: true

desc 'Run the specs with the bundle in use; rake spec[spec/rack] for a part'
task :spec, [:files] => :compile do |_, args|
  run 'rspec', *args.to_a
end

namespace :spec do
  desc 'Run the specs with Rack 2.2'
  task rack2: :compile do
    run 'bundle', 'exec', 'rspec', env: { 'BUNDLE_GEMFILE' => File.expand_path('gemfiles/rack2.gemfile') }
  end

  desc 'Run the C unit tests with sanitizers, without Ruby'
  task(:c) { run 'spec/c/run' }

  desc 'Run the specs of real traffic with AddressSanitizer; rake "spec:asan[rack server]" runs some'
  task(:asan, [:names]) { |_, args| Asan.new.run(*args[:names]&.split) }

  desc 'Run the Rack specs in servers with GC.auto_compact; those among them that stress the collector do both'
  task gc_stress: :compile do
    run 'rspec', 'spec/rack',
        env: { 'IODINE_SPEC_REQUIRE' => File.expand_path('spec/preload/compact'), 'IODINE_SPEC_SLOWER' => '3' }
  end

  desc 'Run the specs on Ruby 3.3 in a Debian trixie tree made by debootstrap (as root; TRIXIE=folder)'
  task(:ruby33) { run 'spec/ruby33/run' }
end

desc 'Run the long forms: 100,000 requests, once more under jemalloc, and the fuzz targets for two minutes each'
task soak: :compile do
  run 'rspec', '--tag', 'soak', env: { 'SOAK' => '1' }
  jemalloc = Dir['/usr/lib/*/libjemalloc.so.2', '/usr/local/lib/libjemalloc.so.2'].first
  abort 'iodine: libjemalloc.so.2 is missing for the second run. Install libjemalloc2.' unless jemalloc
  run 'rspec', '--tag', 'soak', env: { 'SOAK' => '1', 'IODINE_SPEC_PRELOAD' => jemalloc }
  run 'spec/fuzz/run', '120'
end

desc 'Run testssl.sh against a server with a certificate of a test authority'
task(testssl: :compile) { run 'rspec', 'spec/tls/testssl_spec.rb', env: { 'TESTSSL' => '1' } }

desc 'Fuzz the parsers; rake fuzz[seconds] for each target'
task :fuzz, [:seconds] do |_, args|
  run 'spec/fuzz/run', *args.to_a
end
