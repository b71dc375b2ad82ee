# frozen_string_literal: true

module Iodine
  # Traps while a process serves. A trap only leaves a note in the queue of the thread that waits for events.
  # @api private
  class Signals
    BACKTRACES = %w[TTIN INFO].select { |name| Signal.list.key?(name) }.freeze
    DUMP = -> { Dump.everywhere }
    REOPEN = -> { AccessLog.reopen_everywhere }
    EARLY = ->(_) {}

    @own = [EARLY]

    class << self
      # Traps that aren't the application's: a worker finds the root's.
      attr_reader :own

      # For a program that is to serve: while it boots there is nothing to replace, reopen or tell, and it must not die,
      # or halt, of being asked.
      def ignore_early
        ['USR1', 'USR2', 'HUP', *BACKTRACES].each { |name| trap(name, &EARLY) }
      end
    end

    # @param events [Events] gets :stop, :now, :replace, :restart, or what is to be called
    # @param role [Symbol] :single, :root or :worker
    # @param hasty [Boolean] the first INT already means now (rails s, rackup)
    def initialize(events, role, hasty: false)
      @events = events
      @role = role
      @hasty = hasty
      @asked = false
    end

    # Runs the block with the traps set, if this is the thread that Ruby runs traps on, and puts the old ones back.
    def trapping
      return yield unless Thread.current == Thread.main

      before = set
      begin
        yield
      ensure
        before.each { |name, action| trap(name, action || 'DEFAULT') }
      end
    end

    private

    # What was there before.
    def set
      {
        'INT' => trap('INT') { stop('INT') },
        'TERM' => trap('TERM') { stop('TERM') },
        'USR1' => trap('USR1') { @events << :replace },
        'HUP' => trap_unless_taken('HUP') { @events << REOPEN },
        'USR2' => trap_unless_taken('USR2') { @events << :restart },
        **BACKTRACES.to_h { |name| [name, trap(name) { @events << DUMP }] }
      }
    end

    # The application may have a use of its own for it.
    def trap_unless_taken(name, &block)
      Signals.own << block
      trap(name, &block).tap { |before| trap(name, before) if before.is_a?(Proc) && !Signals.own.include?(before) }
    end

    # A worker is told by the root when to be quick: a ^C at the terminal reaches both.
    def stop(name)
      now = @asked || (@hasty && name == 'INT')
      @asked = true
      @events << (now && @role != :worker ? :now : :stop)
    end
  end
  private_constant :Signals
end
