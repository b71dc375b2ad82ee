# frozen_string_literal: true

require 'rack/handler'
require 'iodine'

# With Rack 3 this module is Rackup's.
if defined?(Rackup::Handler)
  require 'rackup/handler/iodine'
else
  module Rack
    # Rack 2 looks a handler up by its name.
    module Handler
      Iodine = ::Iodine::Rack
      register 'iodine', 'Rack::Handler::Iodine'
    end
  end
end
