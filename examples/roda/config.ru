# frozen_string_literal: true

# Roda: a large CSV that is made while it is sent. bin/iodine examples/roda/config.ru
require_relative 'export'

run Export.freeze.app
