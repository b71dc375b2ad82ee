# frozen_string_literal: true

module Iodine
  # An application that each worker loads for itself (--no-preload) sets some things when the root has already acted on
  # them.
  # @api private
  module Late
    class << self
      def loading
        @loading = true
        yield
      ensure
        @loading = false
      end

      # Says so, once a process. True when it is too late.
      def too_late?(what)
        return false unless @loading

        Log.once(:late, "#{what} is too late in an application that --no-preload loads in each worker: " \
                        'call it in the file that -C names')
        true
      end
    end
  end
  private_constant :Late
end
