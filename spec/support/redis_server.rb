# frozen_string_literal: true

require_relative 'server'

module Support
  # A real redis-server of our own, on a free port of the loopback or on a Unix socket, that can die and come back.
  class RedisServer
    attr_reader :port, :socket

    # @param options [Array<String>] more of redis-server's
    # @param tls [Authority::Pair, nil] speak TLS with this certificate
    # @param unix [Boolean] on a Unix socket only
    def initialize(dir, *options, tls: nil, unix: false)
      @dir = dir
      @unix = unix
      @tls = tls
      @port = unix ? 0 : Server.free_port
      @socket = File.join(dir, 'redis.sock')
      @options = options
      @login = tls ? %w[--tls --insecure] : []
    end

    # @param login [String] "user:password@"
    def url(login = nil, host: '127.0.0.1')
      return "unix://#{login}#{socket}" if @unix

      "#{@tls ? 'rediss' : 'redis'}://#{login}#{host}:#{port}"
    end

    # Returns when it accepts connections.
    def start
      @server = Server.new(['redis-server', *settings, *@options], port: (port unless @unix), dir: @dir).start
      Deadline.new(10, socket).poll { File.socket?(socket) } if @unix
      self
    end

    # It dies at once: nothing more is read or written.
    def die
      signal(:KILL)
      @server.wait
      @server.stop
    end

    # It stays, but does nothing until :CONT.
    def signal(name)
      @server.kill(name)
    end

    def stop
      @server.kill(:CONT) if @server&.pid && !@server.exited?
      @server&.stop
    end

    # What redis-cli needs to be let in.
    attr_writer :login

    # @return [Integer] how many connections have subscribed to the name
    def subscribers(name)
      cli('PUBSUB', 'NUMSUB', name).lines.last.to_i
    end

    # @return [String] what redis-cli writes
    def cli(*words)
      where = @unix ? ['-s', socket] : ['-p', port.to_s]
      out, status = Open3.capture2e('redis-cli', *where, *@login, *words)
      raise "redis-cli #{words.join(' ')} failed: #{out}" unless status.success?

      out.chomp
    end

    private

    def settings
      listening = if @tls
                    ['--port', '0', '--tls-port', port.to_s, '--tls-cert-file', @tls.certificate,
                     '--tls-key-file', @tls.key, '--tls-auth-clients', 'no']
                  else
                    ['--port', port.to_s]
                  end
      listening += ['--unixsocket', socket] if @unix
      ['--bind', '127.0.0.1', '--save', '', '--dir', @dir, *listening]
    end
  end

  module Helpers
    # Boots a redis-server that is gone after the example.
    def boot_redis(*options, **named)
      server = RedisServer.new(work_dir, *options, **named)
      cleanups << -> { server.stop }
      server.start
    end
  end
end
