# frozen_string_literal: true

require 'fileutils'
require 'socket'
require 'tmpdir'

require_relative 'deadline'
require_relative 'light_bundle'
require_relative 'raw_client'

module Support
  # The server under test: a process of its own (a group, with its workers) on a free loopback port, with its output in files.
  class Server
    class Failed < RuntimeError; end

    attr_reader :pid, :port, :dir, :status

    # A loopback port that was free a moment ago.
    def self.free_port
      TCPServer.open('127.0.0.1', 0) { |socket| socket.addr[1] }
    end

    # @param command [Array<String>] what to run
    # @param port [Integer, nil] where it will listen; nil: don't wait for it
    def initialize(command, port:, env: {}, dir: nil, timeout: 20)
      @command = command
      @port = port
      @dir = dir || Dir.mktmpdir('iodine-spec')
      @own_dir = dir.nil?
      @logs = Dir.mktmpdir('iodine-log')
      env = env.transform_keys(&:to_s)
      @env = environment.merge(LightBundle.env(env), env)
      @timeout = timeout
    end

    def start
      @pid = Process.spawn(@env, *@command, chdir: dir, pgroup: true, in: File::NULL, out: log('stdout'), err: log('stderr'))
      wait_until_listening if port
      self
    end

    def stdout
      File.read(log('stdout'), encoding: Encoding::UTF_8)
    end

    def stderr
      File.read(log('stderr'), encoding: Encoding::UTF_8)
    end

    # Waits until stderr has the line (a Regexp or a String) and returns the match.
    def wait_for(pattern, timeout: 10, stream: :stderr)
      pattern = Regexp.new(Regexp.escape(pattern)) if pattern.is_a?(String)
      Deadline.new(timeout, "#{pattern.inspect} in #{stream}").poll { pattern.match(public_send(stream)) }
    rescue Deadline::Passed => e
      raise Failed, "#{e.message}, which has:\n#{public_send(stream)}"
    end

    # A new raw connection to it.
    def client(**options)
      RawClient.tcp(port, **options)
    end

    # One request on a connection of its own.
    def get(path = '/', headers = {})
      connection = client
      connection.get(path, { 'connection' => 'close' }.merge(headers))
    ensure
      connection&.close
    end

    # Bytes of memory in RAM, of the process that was started.
    def rss
      File.read("/proc/#{pid}/status")[/^VmRSS:\s*(\d+)/, 1].to_i * 1024
    end

    # How many descriptors it has open, without the spare files.
    def descriptors
      open_files.size - spare_files
    end

    # Unnamed files of bodies, most of them kept to be written over.
    def spare_files
      open_files.grep(/ \(deleted\)\z/).size
    end

    # The PIDs of its children: the workers.
    def children
      File.read("/proc/#{pid}/task/#{pid}/children").split.map(&:to_i)
    end

    def kill(signal = :TERM)
      Process.kill(signal, pid)
    end

    # Waits for its end.
    # @return [Process::Status]
    def wait(timeout: 30)
      Deadline.new(timeout, 'the server to end').poll { exited? }
      status
    end

    def exited?
      return true if status

      _, @status = Process.wait2(pid, Process::WNOHANG)
      !status.nil?
    end

    # Ends the whole group, however it feels about that, and removes its files.
    def stop
      end_group if pid
      FileUtils.rm_rf(@logs)
      FileUtils.rm_rf(dir) if @own_dir
    end

    private

    def end_group
      kill(:TERM) unless exited?
      wait(timeout: 5)
    rescue Deadline::Passed
      nil
    ensure
      # Workers that outlived the root too.
      begin
        Process.kill(:KILL, -pid)
      rescue Errno::ESRCH, Errno::EPERM
        nil
      end
      wait(timeout: 5)
    end

    def wait_until_listening
      deadline = Deadline.new(@timeout, "port #{port}")
      deadline.poll(every: 0.02) do
        raise Failed, "#{@command.last(4).join(' ')} ended (#{status.inspect}):\n#{stderr}#{stdout}" if exited?

        listening?
      end
    rescue Deadline::Passed => e
      stderr = self.stderr
      stop
      raise Failed, "#{e.message}; stderr:\n#{stderr}"
    end

    def listening?
      TCPSocket.new('127.0.0.1', port).close
      true
    rescue Errno::ECONNREFUSED, Errno::ECONNRESET
      false
    end

    # What the machine has set must not change what the specs see.
    def environment
      names = %w[PORT ADDRESS THREADS WORKERS WEB_CONCURRENCY RAILS_MAX_THREADS IODINE_REDIS_URL SCRIPT_NAME RAILS_ENV]
      names.to_h { |name| [name, nil] }.merge('RACK_ENV' => 'test', 'LD_PRELOAD' => ENV.fetch('IODINE_SPEC_PRELOAD', nil))
    end

    def open_files
      Dir["/proc/#{pid}/fd/*"].map do |fd|
        File.readlink(fd)
      rescue Errno::ENOENT
        nil # closed meanwhile
      end.compact
    end

    def log(name)
      File.join(@logs, name)
    end
  end
end
