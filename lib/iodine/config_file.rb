# frozen_string_literal: true

module Iodine
  # The Ruby file that -C names: it runs on main, with Iodine's API at hand, before the application is loaded.
  # @api private
  module ConfigFile
    def self.load(path)
      Kernel.load(File.expand_path(path))
    end
  end
  private_constant :ConfigFile
end
