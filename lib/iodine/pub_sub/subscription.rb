# frozen_string_literal: true

module Iodine
  module PubSub
    # The arguments of subscribe: `(to, opts) { }`, or keywords.
    # @api private
    class Subscription
      KEYS = %i[to channel match as handler].freeze
      FORMS = { nil => false, text: false, binary: true }.freeze

      attr_reader :name, :block

      class << self
        # Hashes at the end are options, however they were passed.
        # @raise [ArgumentError, TypeError] when an argument is wrong
        def read(arguments, options, block)
          names, hashes = arguments.partition { |argument| !argument.is_a?(Hash) }
          raise ArgumentError, "subscribe takes one name, not #{names.size}" if names.size > 1

          new(names.first, hashes.reduce(options) { |all, hash| hash.merge(all) }, block)
        end
      end

      def initialize(name, options, block)
        check(options)
        @name = name_of(name || options[:to] || options[:channel])
        @pattern = pattern(options[:match])
        @binary = form(options[:as])
        @block = callable(block || options[:handler])
      end

      # Is the name a pattern?
      def pattern?
        @pattern
      end

      # Is the client to get binary messages?
      def binary?
        @binary
      end

      private

      def check(options)
        unknown = options.keys - KEYS
        return if unknown.empty?

        raise ArgumentError, "subscribe doesn't know #{unknown.first.inspect}: it takes #{KEYS.join(', ')}"
      end

      def name_of(name)
        raise ArgumentError, 'the name of a channel is missing' if name.nil?
        return name if name.is_a?(String) || name.is_a?(Symbol)

        raise TypeError, "a channel's name must be a String or a Symbol, not #{name.class}"
      end

      def pattern(match)
        return false if match.nil? || match == false
        return true if match.to_s == 'redis'

        raise ArgumentError, "match: #{match.inspect} is unknown: use :redis, or leave it out"
      end

      def form(form)
        FORMS.fetch(form) { raise ArgumentError, "as: #{form.inspect} is unknown: use :text or :binary" }
      end

      def callable(block)
        return block if block.nil? || block.respond_to?(:call)

        raise TypeError, "the handler of a subscription must respond to call, #{block.class} does not"
      end
    end
  end
end
