# frozen_string_literal: true

require_relative 'command'

module Iodine
  module PubSub
    class Redis
      # What a worker leaves to the root, which has the connections: the one place that knows how processes speak.
      # @api private
      module Relay
        class << self
          # @param home [Integer] the process that made the engine
          # @return [Boolean] whether this one is a worker of it
          def needed?(home)
            home != ::Process.pid && worker?
          end

          # One of several, which have a root.
          def worker?
            Iodine.worker? && !Iodine.master?
          end

          # -- in a worker

          def publish(engine, channel, payload)
            Root.tell(engine, Marshal.dump([channel, payload]))
          end

          def command(engine, command)
            Root.ask(engine, Marshal.dump(command.words)) { |reply| command.reply(decode(reply)) }
          end

          # -- in the root

          # @return [Array(String, String)] channel and payload
          def publication(text)
            restore(text)
          end

          # @yieldparam reply [String] for the worker
          # @return [Command]
          def asked(text)
            Command.new(restore(text), ->(value) { yield encode(value) })
          end

          private

          def restore(text)
            Marshal.load(text) # rubocop:disable Security/MarshalLoad -- only our own processes write it
          end

          # Exceptions may hold what can't leave the process.
          def encode(value)
            value.is_a?(Exception) ? Marshal.dump([value.class.name, value.message]) : Marshal.dump([nil, value])
          end

          def decode(reply)
            return RuntimeError.new('the root process gave no answer') unless reply

            name, value = restore(reply)
            name ? Object.const_get(name).new(value) : value
          end
        end
      end
      private_constant :Relay
    end
  end
end
