# frozen_string_literal: true

require 'zlib'

module Support
  # A client's two ends of permessage-deflate.
  class MessageDeflate
    TAIL = "\0\0\xFF\xFF".b

    # Name => value, or true for one without
    attr_reader :parameters

    # @param answer [String] the server's Sec-WebSocket-Extensions
    def initialize(answer)
      @parameters = answer.split(/;\s*/).drop(1).to_h do |parameter|
        name, value = parameter.split('=')
        [name, value || true]
      end
    end

    def deflate(string)
      @deflater = nil if parameters['client_no_context_takeover']
      @deflater ||= Zlib::Deflate.new(Zlib::DEFAULT_COMPRESSION, -bits('client_max_window_bits'))
      @deflater.deflate(string, Zlib::SYNC_FLUSH).b.delete_suffix(TAIL)
    end

    def inflate(bytes)
      @inflater = nil if parameters['server_no_context_takeover']
      @inflater ||= Zlib::Inflate.new(-bits('server_max_window_bits'))
      @inflater.inflate(bytes + TAIL)
    end

    private

    # zlib makes no windows of 8 bits: 9 is the next.
    def bits(name)
      [Integer(parameters.fetch(name, 15)), 9].max
    end
  end
end
