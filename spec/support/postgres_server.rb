# frozen_string_literal: true

require 'etc'
require 'open3'

require_relative 'server'

module Support
  # A real PostgreSQL of our own, on a Unix socket only. It is not to be run by root, so it may be another user's.
  class PostgresServer
    attr_reader :dir

    # @param dir [String] a folder for its files and its socket
    def initialize(dir)
      @dir = dir
      @data = File.join(dir, 'data')
      File.chmod(0o755, dir)
      Dir.mkdir(@data, 0o700)
      @user = Process.uid.zero? ? other_user : nil
      [@dir, @data].each { |path| File.chown(Etc.getpwnam(@user).uid, nil, path) } if @user
    end

    # Returns when it answers.
    def start
      run('initdb', '--no-sync', '--auth=trust', '--username=app', '--encoding=UTF8', '--no-locale', '-D', @data)
      settings = { listen_addresses: '', unix_socket_directories: @dir, fsync: 'off', max_connections: 60 }
      options = settings.flat_map { |name, value| ['-c', "#{name}=#{value}"] }
      @server = Server.new(command('postgres', '-D', @data, *options), port: nil).start
      Deadline.new(30, 'PostgreSQL').poll(every: 0.1) { system(*query('SELECT 1'), out: File::NULL, err: File::NULL) }
      self
    end

    # @return [Array<Array<String>>] rows
    def ask(sql)
      run_outside(*query(sql)).lines(chomp: true).map { |line| line.split('|') }
    end

    # What it has to say, with what clients did wrong.
    def log
      @server.stderr
    end

    def stop
      @server&.stop
    end

    private

    def other_user
      %w[postgres nobody].find do |name|
        Etc.getpwnam(name)
      rescue ArgumentError
        nil
      end
    end

    # Here psql is a client as any other.
    def query(sql)
      ['psql', '-h', @dir, '-U', 'app', '-d', 'postgres', '-Atqc', sql]
    end

    def command(name, *words)
      program = [*Dir['/usr/lib/postgresql/*/bin'].max_by { |path| path[/\d+/].to_i }, *ENV['PATH'].split(':')]
                .map { |folder| File.join(folder, name) }.find { |path| File.executable?(path) }
      raise "#{name} is missing: bin/test installs PostgreSQL" unless program

      @user ? ['setpriv', '--reuid', @user, '--clear-groups', program, *words] : [program, *words]
    end

    def run(name, *words)
      run_outside(*command(name, *words))
    end

    def run_outside(*words)
      out, err, status = Open3.capture3(*words, chdir: @dir)
      raise "#{words.join(' ')} failed: #{err}" unless status.success?

      out
    end
  end

  module Helpers
    # Boots a PostgreSQL that is gone after the group or example.
    def boot_postgres
      server = PostgresServer.new(work_dir)
      cleanups << -> { server.stop }
      server.start
    end
  end
end
