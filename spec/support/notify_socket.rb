# frozen_string_literal: true

require 'socket'

require_relative 'deadline'

module Support
  # systemd's end of sd_notify: a datagram socket that notes what it is told, and by whom.
  class NotifySocket
    attr_reader :name

    # @param name [String] its path, or "@name" for an abstract one
    def initialize(name)
      @name = name
      @socket = Socket.new(:UNIX, :DGRAM)
      @socket.setsockopt(:SOCKET, :PASSCRED, true)
      @socket.bind(Socket.sockaddr_un(name.sub(/\A@/, "\0")))
      @told = []
    end

    # @return [Array<Array(Integer, String)>] all so far: PID and text
    def told
      while (message = @socket.recvmsg_nonblock(4096, 0, 256, exception: false)) != :wait_readable
        text, _, _, credentials = message
        @told << [credentials.data.unpack1('l'), text]
      end
      @told
    end

    # Waits for a text that matches, sent after `from` others.
    # @return [Integer] how many were sent up to it
    def wait_for(pattern, pid:, from: 0, timeout: 30)
      Deadline.new(timeout, "#{pattern.inspect} of #{pid}").poll do
        at = told.drop(from).index { |sender, text| sender == pid && pattern.match?(text) }
        at && (from + at + 1)
      end
    rescue Deadline::Passed => e
      raise "#{e.message} after #{told.drop(from).inspect}"
    end
  end
end
