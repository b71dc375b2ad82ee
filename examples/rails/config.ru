# frozen_string_literal: true

# A notebook: Rails with ActiveRecord on SQLite. bin/iodine examples/rails/config.ru
require_relative 'config/environment'

Database.prepare
run Rails.application
