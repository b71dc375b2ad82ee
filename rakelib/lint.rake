# frozen_string_literal: true

desc 'Check the layers, the compiler\'s warnings, clang-format and RuboCop'
task lint: %w[lint:layers lint:warnings lint:format lint:ruby]

namespace :lint do
  desc 'Check that C files include only their own folder or one above'
  task(:layers) { ruby 'spec/lint/layers.rb', verbose: false }

  desc 'Check that base..server compile without a warning'
  task :warnings do
    foreign = RUBY_PLATFORM.include?('linux') ? 'kqueue' : 'epoll'
    sources = Dir['ext/iodine/{base,protocol,reactor,server}/*.c'] - ["ext/iodine/reactor/poller_#{foreign}.c"]
    run RbConfig::CONFIG['CC'], '-fsyntax-only', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wshadow',
        '-Wconversion', '-Werror', *sources
  end

  desc 'Check that C is formatted as .clang-format says'
  task :format do
    run 'clang-format', '--dry-run', '-Werror', *Dir['ext/iodine/**/*.{c,h}', 'spec/**/*.{c,h}', 'bench/**/*.{c,h}']
  end

  desc 'Run RuboCop'
  task(:ruby) { run 'rubocop' }
end
