# frozen_string_literal: true

ENV['BUNDLE_GEMFILE'] ||= File.expand_path('../Gemfile', __dir__)
# RACK_ENV, as `iodine -e` sets it, decides for Rails too.
ENV['RAILS_ENV'] ||= ENV.fetch('RACK_ENV', 'development')

require 'bundler/setup'
