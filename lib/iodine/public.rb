# frozen_string_literal: true

module Iodine
  # The folders that a listener's files come from.
  # @api private
  module Public
    AGES = (0..(1 << 31))

    class << self
      # The folder of the config.ru that is served, when it is not where the process was started.
      attr_writer :app_folder

      # @param options [Hash] with `:public`, `:sendfile_root`, `:max_age`, `:no_symlinks`
      # @return [Hash] what C takes
      # @raise [ArgumentError, TypeError, RangeError] when an option is wrong
      def settings(options)
        return { public: nil, max_age: 0, no_symlinks: 0 } unless options[:public]

        folders = [expand(:public, options[:public]), *app_folder]
        folders.concat(Array(options[:sendfile_root]).map { |folder| expand(:sendfile_root, folder) })
        { public: folders.flat_map { |folder| names(folder) }.uniq,
          max_age: max_age(options[:max_age]), no_symlinks: options[:no_symlinks] ? 1 : 0 }
      end

      # "~/" is the home folder.
      # @return [String] the full path
      # @raise [ArgumentError, TypeError] when it is no folder
      def expand(option, path)
        path = path.to_path if path.respond_to?(:to_path)
        raise TypeError, "#{option} must be a String, not #{path.class}: give a folder" unless path.is_a?(String)

        full = File.expand_path(path)
        return full if File.directory?(full)

        problem = File.exist?(full) ? "#{full} is not a folder" : "there is no folder #{full}"
        raise ArgumentError, "#{option}: #{problem}: give the path of one"
      end

      private

      def app_folder
        @app_folder || (Dir.pwd if File.file?('config.ru'))
      end

      # An application may name a file by the folder's path as given, or as the system calls it. C wants no slash at the
      # end.
      def names(folder)
        [folder, File.realpath(folder)].map { |path| path.delete_suffix('/') }
      end

      def max_age(seconds)
        raise TypeError, "max_age must be an Integer, not #{seconds.class}" unless seconds.is_a?(Integer)
        return seconds if AGES.cover?(seconds)

        raise RangeError, "max_age is #{seconds}: give a number from #{AGES.min} to #{AGES.max}"
      end
    end
  end
  private_constant :Public
end
