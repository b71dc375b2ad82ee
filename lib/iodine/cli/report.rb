# frozen_string_literal: true

module Iodine
  module CLI
    # What --check prints: each setting, its value and who set it.
    # @api private
    class Report
      ABSENT = [nil, [], ''].freeze
      HIDDEN = '***'

      # @param file [String, nil] the application's
      # @param values [Hash] of the options, of all but the defaults
      # @param sources [Config::Sources]
      def initialize(file, values, sources)
        @file = file
        @values = values
        @sources = sources
      end

      # @raise [Option::Error] when they aren't good for a listener
      def print
        listener = self.listener
        puts row('application', @file || "none: the files of #{listener.folder}", '')
        settings.each { |option| puts row(option.key, shown(option), @sources.origin(option.key)) }
      end

      private

      # Isn't bound.
      def listener
        Listen.listener([{ service: :http, handler: -> {} }], nil)
      rescue ArgumentError, TypeError, RangeError, RuntimeError => e
        raise Option::Error, e.message
      end

      def settings
        OPTIONS.reject { |option| Config::Words::NONE.include?(option.key) }
      end

      def row(name, value, origin)
        format('%-20<name>s  %-22<value>s  %<origin>s', name: name, value: value, origin: origin).rstrip
      end

      def shown(option)
        value = current(option.key)
        return value ? 'yes' : 'no' unless option.value
        return 'none' if ABSENT.include?(value)

        case option.key
        when :tls_password then HIDDEN
        when :redis then value.sub(%r{(//[^/@]*:)[^/@]*@}, "\\1#{HIDDEN}@")
        else Array(value).join(', ')
        end
      end

      def current(key)
        case key
        when :threads, :workers then Settings.concurrency[%i[threads workers].index(key)]
        when :max_headers then DEFAULT_SETTINGS[:max_headers] || (Server.build[:max_header_length] / 1024)
        when :no_deflate then !DEFAULT_SETTINGS[:deflate]
        when :tls then @values.key?(:tls)
        else Settings.now.fetch(key) { @values[key] }
        end
      end
    end
  end
end
