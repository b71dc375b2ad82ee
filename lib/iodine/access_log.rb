# frozen_string_literal: true

module Iodine
  # Where the access log goes, and how its lines look: DEFAULT_SETTINGS[:log_file] and [:log_format]. The root opens the
  # file before it forks, so all processes share it; each opens it again when told (HUP).
  # @api private
  module AccessLog
    FORMATS = %w[clf json].freeze

    @file = nil

    class << self
      # Is there one, if the listener itself doesn't say?
      def wanted?(settings)
        settings[:log] || !settings[:log_file].nil? || !settings[:log_format].nil?
      end

      # @param server [Server] that isn't open yet
      # @raise [RuntimeError, ArgumentError]
      def open(server)
        format = check(DEFAULT_SETTINGS[:log_format] || 'clf')
        path = DEFAULT_SETTINGS[:log_file]
        @path = path && File.expand_path(path)
        @file = @path && append(@path)
        server.log_to((@file || $stderr).fileno, format == 'json')
      end

      # @return [String]
      # @raise [ArgumentError]
      def check(format, given = 'log_format')
        return format.to_s if FORMATS.include?(format.to_s)

        raise ArgumentError, "#{given} is #{format.inspect}: use clf or json"
      end

      # Sets what asks the other processes to do it too; in the root.
      def relay(&block)
        @relay = block
      end

      # In the root: in all processes.
      def reopen_everywhere
        reopen
        @relay&.call if Runtime.role == :root
      end

      # The descriptor that C writes to stands for the new file then.
      def reopen
        return Log.debug('HUP: there is no log file to open again') unless @file

        append(@path).tap { |file| @file.reopen(file) }.close
        Log.info("opened the log file #{@path} again")
      rescue SystemCallError, RuntimeError => e
        Log.error(e.message)
      end

      def close
        @file&.close
        @file = nil
      end

      private

      def append(path)
        File.open(path, File::WRONLY | File::APPEND | File::CREAT, 0o644)
      rescue SystemCallError => e
        why = SystemCallError.new(nil, e.errno).message # without the path once more
        raise "can't open the log file #{path}: #{why}: name another one with --log-file"
      end
    end
  end
  private_constant :AccessLog
end
