# frozen_string_literal: true

module Iodine
  # Makes the first request of a worker as quick as the next ones.
  # @api private
  module Warmup
    class << self
      def call(apps)
        load_constants(Object, {}.compare_by_identity)
        require 'rack'
        apps.each { |app| ::Rack::MockRequest.new(app).get('/') }
      rescue StandardError, ScriptError => e
        Log.exception('the warm-up request failed', e)
      end

      private

      # Each module once. What can't be loaded is left: the application may never need it.
      def load_constants(parent, seen)
        seen[parent] = true
        parent.constants(false).each do |name|
          next parent.const_get(name, false) if parent.autoload?(name, false)
        rescue StandardError, ScriptError => e
          Log.debug("#{parent}::#{name} can't be loaded: #{Log.summary(e)}")
        end
        modules(parent).each { |child| load_constants(child, seen) unless seen[child] }
      end

      def modules(parent)
        parent.constants(false).reject { |name| parent.autoload?(name, false) }
              .map { |name| parent.const_get(name, false) }.grep(Module)
      rescue StandardError, ScriptError
        []
      end
    end
  end
  private_constant :Warmup
end
