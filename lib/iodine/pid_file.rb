# frozen_string_literal: true

module Iodine
  # The file that names the root process.
  # @api private
  class PidFile
    SLACK = 60 # seconds by which the clock may have been wrong when the file was written

    class << self
      # Runs the block while the file is there.
      # @param path [String, nil] nil: there is none
      # @raise [RuntimeError] when it names another live process, or can't be written
      def hold(path)
        return yield unless path

        @held = new(path)
        @held.write
        begin
          yield
        ensure
          @held.remove
        end
      end

      # Once the predecessor isn't needed any more.
      def replace
        @held&.replace
      end
    end

    def initialize(path)
      @path = File.expand_path(path)
      @pid = ::Process.pid
      @next = "#{@path}.#{@pid}"
    end

    # While a predecessor serves it names that one; ours waits beside it.
    def write
      return File.write(@next, "#{@pid}\n") if Predecessor.waiting? && written == Predecessor.pid

      remove_stale
      File.open(@path, File::WRONLY | File::CREAT | File::EXCL, 0o644) { |file| file.puts(@pid) }
    rescue SystemCallError => e
      raise "can't write the PID file #{@path}: #{e.message}: choose another one with -pid"
    end

    def replace
      File.rename(@next, @path)
    rescue Errno::ENOENT
      nil # it is in its place
    end

    # A worker, or what the application forked, leaves it alone; so does a root whose file was replaced.
    def remove
      return unless ::Process.pid == @pid

      File.unlink(@path) if written == @pid
      File.unlink(@next)
    rescue SystemCallError
      nil
    end

    private

    # The process it names, 0 for none, nil: it is no PID file.
    def written
      text = File.read(@path)
      text.match?(/\A\d*\s*\z/) ? text.to_i : nil
    rescue Errno::ENOENT
      0
    end

    def remove_stale
      pid = written
      raise "#{@path} is no PID file, and stays as it is: choose another one with -pid" unless pid
      if alive?(pid) && !reused?(pid)
        raise "the PID file #{@path} names the live process #{pid}: stop it or choose another file with -pid"
      end

      File.unlink(@path)
    rescue Errno::ENOENT
      nil
    end

    def alive?(pid)
      return false unless pid.positive? && pid != @pid

      ::Process.kill(0, pid)
      true
    rescue Errno::ESRCH, RangeError
      false
    rescue Errno::EPERM
      true
    end

    # Has that process begun after the file was written? Then the number was another one's. No, where the system doesn't
    # tell.
    def reused?(pid)
      require 'etc'
      begun = File.read("/proc/#{pid}/stat")[/.*\) (.*)/m, 1].split[19].to_f / Etc.sysconf(Etc::SC_CLK_TCK)
      boot = File.read('/proc/stat')[/^btime (\d+)/, 1].to_i
      boot + begun > File.mtime(@path).to_f + SLACK
    rescue SystemCallError
      false
    end
  end
  private_constant :PidFile
end
