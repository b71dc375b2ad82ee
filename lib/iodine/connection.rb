# frozen_string_literal: true

module Iodine
  # A connection that doesn't speak HTTP, as its callbacks see it. The callbacks object may have any of these methods,
  # and an object, a class or a module will do; what it lacks costs nothing:
  #
  #     on_open(client)           first
  #     on_message(client, data)  bytes came; how they are cut says nothing
  #     on_drained(client)        all that was written is out
  #     ping(client)              the time-out passed without traffic
  #     on_shutdown(client)       a graceful stop: what is written now still goes out, then it closes
  #     on_close(client)          last, once
  #
  # They never run at the same time for one connection, and keep order. An exception is logged, and the connection goes
  # on. A client that has sent FIN is told all that it asked before, then it is closed.
  #
  #     class Echo
  #       def on_message(client, data)
  #         client.write(data)
  #         client.close if data.start_with?('bye')
  #       end
  #     end
  #     Iodine.listen(service: :raw, port: 7000) { Echo.new }
  #
  # All methods may be called from any thread, also when it is closed.
  #
  # @!method write(data)
  #   Sends in the order of the calls. Never blocks: what the peer doesn't read yet waits here, up to `max_pending`.
  #   @param data [String, #to_s]
  #   @return [true, nil] nil when it is closed
  # @!method close
  #   Closes after what is pending.
  #   @return [nil]
  # @!method open?
  #   @return [Boolean] whether {write} still does something
  # @!method pending
  #   @return [Integer] messages that wait to be sent, by their share of the bytes; -1 when it is closed
  # @!method protocol
  #   @return [:raw]
  # @!method pubsub?
  #   @return [true]
  # @!method timeout
  #   @return [Integer] seconds
  # @!method timeout=(seconds)
  #   After so long without traffic `ping(client)` is called, or without that callback the connection closes.
  #   @param seconds [Integer] 0 to 255, 0 = never
  #   @raise [RangeError, TypeError]
  # @!method env
  #   @return [Hash, nil] of the request it began with; nil for a raw one
  # @!method handler
  #   @return [Object, nil] the callbacks object
  # @!method handler=(callbacks)
  #   Calls the old one's on_close, then the new one's on_open; nil closes. In a callback of the connection that is done
  #   at once, else when the callbacks before have been called.
  # @!method defer
  #   Runs a block when the callbacks before have been called, and never at the same time as one.
  #   @return [Proc, nil] the block; nil when on_close was called
  # @!method peer_addr
  #   @return [String] the peer's IP address; "127.0.0.1" on a Unix socket
  class Connection # rubocop:disable Lint/EmptyClass -- its methods are in C
  end
end
