# frozen_string_literal: true

module Iodine
  module Config
    # All that is set outside of the application, by order: the command line, the environment, a file, the defaults.
    # @api private
    class Sources
      # @param flags [Hash] of the command line, by the options' keys
      # @param script [Script, nil]
      def initialize(flags, script)
        @flags = flags
        @script = script
      end

      # @return [Hash] by the options' keys, of all but the defaults
      attr_reader :values

      # The file sees what the environment and the command line say, and can't change that.
      # @raise [CLI::Option::Error]
      def read
        Config.apply(@flags)
        if @script
          @script.run
          Settings.read_environment
          Config.apply(@flags)
        end
        @values = merge
        use_certificates
      end

      # Has the file a word for it that counts?
      def file?(key)
        !@flags.key?(key) && !Settings.variable(key) && !@script.nil? && @script.values.key?(key)
      end

      # @return [String]
      def origin(key)
        return 'flag' if @flags.key?(key)

        variable = Settings.variable(key)
        return "ENV #{variable}" if variable

        @script&.places&.fetch(key, nil) || 'default'
      end

      private

      def merge
        file = (@script ? @script.values : {}).reject { |key, _| Settings.variable(key) }
        variables = %i[redis environment].to_h { |key| [key, ENV.fetch(Settings.variable(key).to_s, nil)] }
        [file, variables.compact, @flags].reduce(:merge).select { |_, value| value }
      end

      def use_certificates
        CLI::Encryption.read(@values, Array(@values[:address]).map { |address| Endpoint.parse(address, 0) })
        DEFAULT_SETTINGS[:tls] = @values[:tls] if @values[:tls]
      end
    end
  end
end
