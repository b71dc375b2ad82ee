# frozen_string_literal: true

require 'fileutils'
require 'tmpdir'

# Folders of files for the specs of static files.
module Folders
  # Long ago: nothing is cached of it yet, and its Last-Modified is always the same.
  LONG_AGO = Time.utc(2024, 1, 2, 3, 4, 5, 678_901)

  # Makes the files of a Hash (path => content) below a folder.
  def self.fill(folder, files)
    files.each do |path, content|
      full = File.join(folder, path)
      FileUtils.mkdir_p(File.dirname(full))
      File.binwrite(full, content)
      File.utime(LONG_AGO, LONG_AGO, full)
    end
    folder
  end
end
