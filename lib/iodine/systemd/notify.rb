# frozen_string_literal: true

module Iodine
  module Systemd
    # One datagram to whoever supervises this process (sd_notify(3)), if there is one.
    # @api private
    module Notify
      VARIABLE = 'NOTIFY_SOCKET'

      class << self
        def possible?
          !ENV.fetch(VARIABLE, '').empty?
        end

        # @param states [Hash] READY: 1 and so on
        def call(**states)
          return unless possible?

          require 'socket'
          text = states.map { |name, value| "#{name}=#{value}\n" }.join
          Socket.open(:UNIX, :DGRAM) { |socket| socket.sendmsg_nonblock(text, 0, address) }
        rescue SystemCallError, ArgumentError => e
          Log.once(:notify, "can't tell systemd on #{ENV.fetch(VARIABLE)}: #{e.message}")
        end

        private

        # An abstract name begins with @.
        def address
          Socket.sockaddr_un(ENV.fetch(VARIABLE).sub(/\A@/, "\0"))
        end
      end
    end
  end
end
