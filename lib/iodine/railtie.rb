# frozen_string_literal: true

module Iodine
  # For `rails server`: the configuration file is read before the application's initializers, which so can ask whether
  # anything is set. The program iodine has read it long before.
  # @api private
  class Railtie < ::Rails::Railtie
    initializer 'iodine.config', before: :load_config_initializers do
      next unless defined?(::Rails::Server) && chosen?

      require_relative 'config/handler'
      Config::Handler.read_early
    end

    # Rails has looked its server up by now: is it this one?
    def chosen?
      $LOADED_FEATURES.any? { |file| file.end_with?('/handler/iodine.rb') }
    end
  end
  private_constant :Railtie
end
