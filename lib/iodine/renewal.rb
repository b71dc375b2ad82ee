# frozen_string_literal: true

module Iodine
  # Loads certificates again when their files have changed, in each process that has listeners: new connections get the
  # new ones, those that are there keep theirs.
  # @api private
  module Renewal
    EVERY = 2000 # ms

    @seen = {} # TLS → what its files were like when they were looked at

    class << self
      # Loads what has changed since the files were read, and looks again as long as the server is open.
      # @param server [Server] of this process
      def start(server)
        return if Listeners.secured.empty? || @server.equal?(server)

        @server = server
        now
        server.timer(EVERY, 0) { look }
      end

      # Loads all that have changed.
      def now
        renew(changed)
      end

      private

      # A change counts once it is over: files that somebody is writing, or the one of two that comes first, are left
      # for the next look.
      def look
        before = @seen
        @seen = changed.to_h { |tls| [tls, tls.signature] }
        renew(@seen.keys.select { |tls| before[tls] == @seen[tls] })
      end

      def changed
        Listeners.secured.map(&:tls).uniq.select(&:changed?)
      end

      def renew(stale)
        stale.each { |tls| read(tls) }
        Listeners.secured.each(&:secure)
      end

      def read(tls)
        tls.renew
        Log.info("certificates are loaded again: #{tls}")
      rescue RuntimeError => e
        Log.error("#{e.message}; what was loaded before stays")
      end
    end
  end
  private_constant :Renewal
end
