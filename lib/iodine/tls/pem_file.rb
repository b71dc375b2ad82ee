# frozen_string_literal: true

module Iodine
  class TLS
    # A file of certificates or of a key.
    # @api private
    class PemFile
      # @param path [String]
      # @param what [String] what it has, for messages
      def initialize(path, what)
        unless path.respond_to?(:to_str) || path.respond_to?(:to_path)
          raise TypeError, "the path of the #{what} must be a String, not #{path.class}"
        end

        @path = File.expand_path(path) # the working directory may change until it is read again
        @what = what
      end

      def read
        File.binread(@path)
      rescue SystemCallError => e
        raise "can't read the #{@what} #{@path}: #{e.class.new.message}: check the path and who may read it"
      end

      # @return [Array] another one when the file was replaced or written to
      def signature
        stat = File.stat(@path)
        [stat.dev, stat.ino, stat.size, stat.mtime]
      rescue SystemCallError
        [nil]
      end

      def to_s
        @path
      end
    end
    private_constant :PemFile
  end
end
