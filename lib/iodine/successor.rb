# frozen_string_literal: true

module Iodine
  # The program, started once more to take the place of this process: with its listening sockets, and a pipe on which it
  # reports that it is up, or why it isn't (see Predecessor).
  # @api private
  class Successor
    PATIENCE = 300 # seconds until it must be up
    LOOK = 0.2 # seconds between two looks whether it has ended
    GRACE = 3 # seconds to end by itself, and when it is told to

    attr_reader :pid

    # @param sockets [Array<Array(Integer, String)>] listening ones, with their marks (see Inherited)
    # @param keeper [IO, nil] for the keeper
    # @raise [SystemCallError]
    def initialize(sockets, keeper)
      require 'io/wait'
      @said, report = IO.pipe
      copies = sockets.map { |fd, _| IO.for_fd(fd, autoclose: false).dup } # a fork may close the others
      marked = copies.zip(sockets).map { |copy, (_, mark)| "#{copy.fileno}#{mark}" }
      words = { pid: ::Process.pid, report: report.fileno, keeper: keeper&.fileno, sockets: marked.join(',') }
      @pid = start(words, [report, keeper, *copies].compact)
    ensure
      [report, *copies].compact.each(&:close)
    end

    # Blocks until it is up or has failed to come up.
    # @return [String, nil] why it failed
    def failure
      said = hear
      return if said == Predecessor::UP

      end_it
      said.delete_prefix(Predecessor::FAILED)
    ensure
      @said.close
    end

    # It isn't needed after all.
    def dismiss
      ::Process.kill(:TERM, @pid) unless ended?
    rescue Errno::ESRCH
      nil
    end

    private

    def start(words, descriptors)
      environment = Program.environment.except(*Inherited::VARIABLES, *Systemd::OF_ONE_PROCESS)
      environment[Predecessor::VARIABLE] = words.compact.map { |word| word.join('=') }.join(' ')
      name, *arguments = Program.command
      ::Process.spawn(environment, [name, name], *arguments, chdir: Program.directory, unsetenv_others: true,
                                                             close_others: true, **descriptors.to_h { |io| [io, io] })
    end

    # What it reports, or how it ended without a word.
    def hear
      deadline = Clock.now + PATIENCE
      until Clock.now > deadline
        over = ended? # before the look: what it said before that is there
        said = look
        return said if said
        return "it #{@fate}" if over
      end
      "it was not up after #{PATIENCE} s"
    end

    def look
      return unless @said.wait_readable(LOOK)

      said = @said.read_nonblock(4096, exception: false)
      sleep LOOK unless said # it said nothing, and never will
      said if said.is_a?(String)
    end

    # One that told why it failed does so by itself.
    def end_it
      wait
      dismiss
      wait
      ::Process.kill(:KILL, @pid) unless ended?
      wait
    rescue Errno::ESRCH
      nil
    end

    def wait
      deadline = Clock.now + GRACE
      sleep LOOK until ended? || Clock.now > deadline
    end

    def ended?
      return true if @fate

      status = ::Process.wait2(@pid, ::Process::WNOHANG)&.last
      @fate = Worker.fate(status) if status
      !status.nil?
    rescue Errno::ECHILD
      @fate = Worker.fate(nil)
      true
    end
  end
  private_constant :Successor
end
