# frozen_string_literal: true

module Iodine
  # The Rack application of a config.ru.
  # @api private
  class Application
    # @param path [String]
    def initialize(path)
      @path = File.expand_path(path)
    end

    # Reads the file, through rack's builder.
    # @return [Application]
    def load
      require_rack
      app = ::Rack::Builder.parse_file(@path)
      @app = app.is_a?(Array) ? app.first : app # Rack 2 gives the file's options as well
      self
    end

    # What C may call without this object between.
    def to_app
      @app || self
    end

    # For the application that each worker loads: the listener was bound before it was there.
    def call(env)
      @app.call(env)
    end

    private

    def require_rack
      require 'rack'
    rescue LoadError => e
      raise unless e.path == 'rack'

      raise "#{@path} needs the rack gem, which can't be loaded: " \
            'add gem "rack" to the Gemfile, or run gem install rack'
    end
  end
  private_constant :Application
end
