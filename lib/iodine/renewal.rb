# frozen_string_literal: true

module Iodine
  # Loads certificates again when their files have changed, in each process that has listeners: new connections get the
  # new ones, those that are there keep theirs.
  # @api private
  module Renewal
    EVERY = 2000 # ms

    @seen = {} # TLS → what its files were like at the last look, if they had changed
    @bad = {} # TLS → what its files were like when the log told that they can't be loaded

    class << self
      # Loads what has changed since the files were read, and looks again as long as the server is open. Of what can't
      # be loaded yet the looks will tell: somebody may be in the middle of writing.
      # @param server [Server] of this process
      def start(server)
        return if Listeners.secured.empty? || @server.equal?(server)

        @server = server
        renew(changed) { nil }
        server.timer(EVERY, 0) { look }
      end

      # Loads all that have changed.
      def now
        renew(changed) { |*failure| report(*failure) }
      end

      private

      # A change counts once it is over: files that somebody is writing, or the one of two that comes first, are left
      # for the next look.
      def look
        before = @seen
        @seen = changed.to_h { |tls| [tls, tls.signature] }
        still = @seen.select { |tls, files| before[tls] == files && @bad[tls] != files }
        renew(still.keys) { |*failure| report(*failure) }
      end

      def changed
        Listeners.secured.map(&:tls).uniq.select(&:changed?)
      end

      # Yields what can't be loaded, what its files were like, and why.
      def renew(stale)
        stale.each do |tls|
          files = tls.signature
          tls.renew
          Log.info("certificates are loaded again: #{tls}")
        rescue RuntimeError => e
          yield tls, files, e
        end
        Listeners.secured.each(&:secure)
      end

      def report(tls, files, error)
        @bad[tls] = files
        Log.error("#{error.message}; what was loaded before stays")
      end
    end
  end
  private_constant :Renewal
end
