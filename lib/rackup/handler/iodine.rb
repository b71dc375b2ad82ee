# frozen_string_literal: true

require 'rackup/handler'
require 'iodine'

module Rackup
  # What -s iodine finds.
  module Handler
    Iodine = ::Iodine::Rack
    register :iodine, Iodine
  end
end
