# frozen_string_literal: true

# Loaded into the servers by rake spec:gc_stress: what C holds without telling the collector moves under its feet.
GC.auto_compact = true
