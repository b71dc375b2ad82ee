# frozen_string_literal: true

module Iodine
  # The file that names the root process.
  # @api private
  class PidFile
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

    # The process it names, 0 for none.
    def written
      File.read(@path).to_i
    rescue Errno::ENOENT
      0
    end

    def remove_stale
      pid = written
      if alive?(pid)
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
  end
  private_constant :PidFile
end
