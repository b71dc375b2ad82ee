# frozen_string_literal: true

# What the Rails example requires under Puma, so that none of the gem is in that one's memory.
