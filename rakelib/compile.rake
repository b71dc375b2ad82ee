# frozen_string_literal: true

desc 'Build the extension into lib/iodine; only what changed'
task(:compile) { Build.new.run }

desc 'Remove what was built'
task :clean do
  rm_rf(Dir['tmp/build-*', 'tmp/asan', 'lib/iodine/iodine_ext.*', 'pkg'])
end

desc 'Build the gem into pkg/'
task :gem do
  mkdir_p 'pkg'
  run 'gem', 'build', 'iodine.gemspec', '--output', "pkg/iodine-#{Gem::Specification.load('iodine.gemspec').version}.gem"
end
