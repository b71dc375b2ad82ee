# frozen_string_literal: true

module Iodine
  # A WebSocket, an event stream (SSE) or a raw connection, as its callbacks see it. The callbacks object may have any
  # of these methods, and an object, a class or a module will do; what it lacks costs nothing:
  #
  #     on_open(client)           first
  #     on_message(client, data)  a message came: text is UTF-8, other data binary. Raw: bytes, however they were cut
  #     on_drained(client)        all that was written is out
  #     ping(client)              raw: the time-out passed without traffic. Others are pinged by the server
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
  #   Sends in the order of the calls: a WebSocket's message (valid UTF-8 as text, else binary), an event's data, or
  #   bytes. Never blocks: what the peer doesn't read yet waits here, up to `max_pending`.
  #   @param data [String, #to_s]
  #   @return [true, nil] nil when it is closed
  # @!method close(code = 1000, reason = nil)
  #   Closes after what is pending.
  #   @param code [Integer] told to a WebSocket's peer: 1000 to 1003, 1007 to 1014, 3000 to 4999
  #   @param reason [String, nil] up to 123 bytes
  #   @return [nil]
  #   @raise [ArgumentError] for another code
  # @!method close_code
  #   @return [Integer, nil] in on_close: what a WebSocket ended with, 1006 without a goodbye; nil for a raw one
  # @!method close_reason
  #   @return [String, nil] in on_close: in words, if the peer said some
  # @!method open?
  #   @return [Boolean] whether {write} still does something
  # @!method pending
  #   @return [Integer] messages that wait to be sent, by their share of the bytes; -1 when it is closed
  # @!method protocol
  #   @return [:websocket, :sse, :raw]
  # @!method pubsub?
  #   @return [true]
  # @!method timeout
  #   @return [Integer] seconds
  # @!method timeout=(seconds)
  #   After so long without traffic a raw connection's `ping(client)` is called, or without that callback it closes. A
  #   WebSocket or an event stream is pinged by the server, and closed when it doesn't answer the next time either.
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
  # @!method unsubscribe(name)
  #   @return [Boolean] was it subscribed?
  # @!method publish(to, message, engine = nil)
  #   As {Iodine.publish}; reaches this connection too, if it is subscribed.
  #   @return [true]
  # @!method peer_addr
  #   @return [String] the peer's IP address; "127.0.0.1" on a Unix socket
  class Connection
    # Tells this connection what is published. Without a block the message is written to it, and no Ruby runs. It ends
    # with the connection; the same name again replaces.
    #
    #     client.subscribe(:chat)
    #     client.subscribe("room.*", match: :redis) { |channel, message| client.write("#{channel}: #{message}") }
    #
    # @param to [String, Symbol] the channel (also `to:`), or with `match: :redis` a pattern of `* ? [a-z] [^x] \`
    # @param match [:redis, nil]
    # @param as [:text, :binary] how a WebSocket gets it; text that isn't UTF-8 goes as binary
    # @param handler [#call] instead of a block
    # @yieldparam channel [String]
    # @yieldparam message [String]
    # @return [String, Symbol, nil] the name as given; nil when it is closed
    # @raise [ArgumentError, TypeError]
    def subscribe(*arguments, **options, &)
      s = PubSub::Subscription.read(arguments, options, block_given? ? proc(&) : nil)
      subscribe_to(s.name, s.pattern?, s.binary?, s.block)
    end

    # Sends an event to an event stream. Clients get events that have data; the others set the id, or the time after
    # which the client comes again.
    # @param event [String, nil] its type: one line
    # @param id [String, nil] comes back as {last_event_id} when the client reconnects: one line
    # @param data [String, nil] any number of lines
    # @param retry [Integer, nil] milliseconds
    # @return [true, nil] nil when it is closed
    # @raise [ArgumentError] when a line has several
    # @raise [RuntimeError] when it is no event stream
    def write_event(event: nil, id: nil, data: nil, retry: nil)
      write_event_of(event, id, data, binding.local_variable_get(:retry))
    end

    # @return [String, nil] the id of the last event that the client got before it reconnected
    def last_event_id
      env && env['HTTP_LAST_EVENT_ID']
    end
  end
end
