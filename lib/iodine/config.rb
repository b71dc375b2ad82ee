# frozen_string_literal: true

require_relative 'cli/options'
require_relative 'cli/encryption'
require_relative 'config/script'
require_relative 'config/sources'

module Iodine
  # What is set outside of the application: by the command line, the environment, and a configuration file.
  # @api private
  module Config
    FILE = 'config/iodine.rb' # is read if it is there, and no other is named

    # @param named [String, nil] the file that -C names
    # @return [Script, nil] nil when there is none to read
    def self.script(named = nil)
      return Script.new(named, named: true) if named

      Script.new(FILE, named: false) if File.file?(FILE)
    end

    # Puts values of options in force. Certificates have to be read first.
    # @param values [Hash] by the options' keys
    def self.apply(values)
      %i[verbosity threads workers].each { |key| Iodine.public_send(:"#{key}=", values[key]) if values[key] }
      DEFAULT_SETTINGS.update(values.slice(*DEFAULT_SETTINGS.keys).except(:tls))
      DEFAULT_SETTINGS[:deflate] = false if values[:no_deflate]
    end
  end
  private_constant :Config
end
