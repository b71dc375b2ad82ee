# frozen_string_literal: true

require_relative 'boot'

require 'rails'
require 'active_model/railtie'
require 'active_record/railtie'
require 'active_storage/engine'
require 'action_controller/railtie'
require 'action_view/railtie'
require 'action_cable/engine'
require 'iodine' # as Bundler.require does, with a Gemfile that is the application's alone
require_relative '../lib/live'

module Notebook
  ROOT = Pathname(__dir__).parent

  # Everything that is written: database, uploaded files, secret.
  STORAGE = Pathname(ENV.fetch('NOTEBOOK_STORAGE', ROOT.join('storage')))

  # So that the example runs anywhere with no setting, in production too: a secret of this folder's own.
  def self.secret
    path = STORAGE.join('secret')
    path.dirname.mkpath
    path.open('wx', 0o600) { |file| file.write(SecureRandom.hex(64)) } unless path.size?
    path.read
  end

  class Application < Rails::Application
    config.root = ROOT
    config.load_defaults 7.2
    config.autoload_lib(ignore: %w[live.rb])
    config.middleware.use Live

    config.secret_key_base = ENV['SECRET_KEY_BASE'].presence || Notebook.secret
    config.session_store :cookie_store, key: '_notebook'
    config.active_storage.service = :local
    config.active_storage.variant_processor = :disabled
    config.hosts.clear # any name: it is an example
    config.log_level = :warn
    config.logger = ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new($stderr))
  end
end
