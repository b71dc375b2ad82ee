# frozen_string_literal: true

module Iodine
  module PubSub
    # What the server has for Ruby to do, besides messages. It calls these one at a time, in order.
    # @api private
    module Notices
      class << self
        # @param match [true, nil] true for a pattern
        # @param there [Boolean] it has its first subscriber, or has none any more
        def name(name, match, there)
          Engines.name(name, match, there)
        end

        # All names that are there follow, …
        def listing
          Engines.listing
        end

        # … and these were all.
        def listed
          Engines.listed
        end

        def command(engine, payload, from, id)
          Root.command(engine, payload, from, id)
        end

        # @param payload [String, nil]
        def reply(id, payload)
          Root.replied(id, payload)
        end

        # The link to the root has ended.
        def unlinked
          Root.lost
          Runtime.events << :unlinked
        end
      end
      Server.notices = self
    end
    private_constant :Notices
  end
end
