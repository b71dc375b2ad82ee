# frozen_string_literal: true

require 'open3'
require 'shellwords'

require_relative 'browser'
require_relative 'server'

module Support
  # What every example can call. Servers that were booted are stopped after the example, or after its group when they
  # were booted in before(:context).
  module Helpers
    # Boots `exe/iodine` with a config.ru of this source and these arguments.
    #
    #   server = boot(<<~RUBY, '-t', '2')
    #     run ->(env) { [200, {}, ['hello']] }
    #   RUBY
    #   server.get('/').body
    #
    # @param lint [Boolean] wrap the application in Rack::Lint
    def boot(source, *args, lint: true, env: {}, timeout: 20)
      dir = work_dir
      source = "use Rack::Lint\n#{source}" if lint
      file = write_file(dir, 'config.ru', source)
      boot_cli(*args, file, env: env, dir: dir, timeout: timeout)
    end

    # Boots `exe/iodine` with these arguments and a free port (-p and -b are added unless among them).
    def boot_cli(*args, env: {}, dir: nil, timeout: 20)
      port = Server.free_port
      args = ['-p', port.to_s, *args] unless args.include?('-p')
      args = ['-b', '127.0.0.1', *args] unless args.include?('-b')
      port = args[args.index('-p') + 1].to_i
      launch([*ruby, File.join(ROOT, 'exe', 'iodine'), *args], port: port, env: env, dir: dir, timeout: timeout)
    end

    # Runs a Ruby script that calls Iodine.listen and Iodine.start; it finds a free port in ENV['PORT'].
    def boot_script(source, env: {}, timeout: 20)
      dir = work_dir
      port = Server.free_port
      command = [*ruby, '-r', 'iodine', write_file(dir, 'script.rb', source)]
      launch(command, port: port, env: { 'PORT' => port.to_s }.merge(env), dir: dir, timeout: timeout)
    end

    # Starts any command in a group of its own; with port: nil it isn't waited for.
    def launch(command, port:, env: {}, dir: nil, timeout: 20)
      server = Server.new(command, port: port, env: env, dir: dir, timeout: timeout)
      cleanups << -> { server.stop }
      server.start
    end

    # Runs `exe/iodine` to its end.
    # @return [Array(String, String, Process::Status)] stdout, stderr, status
    def run_cli(*args, env: {}, dir: work_dir, timeout: 20)
      server = launch([*ruby, File.join(ROOT, 'exe', 'iodine'), *args], port: nil, env: env, dir: dir)
      server.wait(timeout: timeout)
      [server.stdout, server.stderr, server.status]
    end

    # A Ruby that finds this checkout's iodine.
    def ruby
      libs = [ENV.fetch('IODINE_SPEC_LIB', nil), File.join(ROOT, 'lib')].compact
      requires = ENV.fetch('IODINE_SPEC_REQUIRE', '').split(':')
      [RbConfig.ruby, *libs.flat_map { |lib| ['-I', lib] }, *requires.flat_map { |file| ['-r', file] }]
    end

    # A directory that is gone after the example.
    def work_dir
      Dir.mktmpdir('iodine-spec').tap { |dir| cleanups << -> { FileUtils.rm_rf(dir) } }
    end

    def write_file(dir, name, source)
      File.join(dir, name).tap do |path|
        FileUtils.mkdir_p(File.dirname(path))
        File.write(path, source)
      end
    end

    # A real client: curl with these arguments, at most 20 seconds.
    # @return [String] what it wrote to stdout, as bytes
    def curl(*args)
      out, err, status = Open3.capture3('curl', '-sS', '--max-time', '20', *args, binmode: true)
      raise "curl #{args.shelljoin} failed (#{status.exitstatus}): #{err}" unless status.success?

      out
    end

    # A raw connection to @server, closed after the block or after the example.
    def dial(server = @server, **options)
      client = server.client(**options)
      return client.tap { |open| cleanups << -> { open.close } } unless block_given?

      begin
        yield client
      ensure
        client.close
      end
    end

    # A curl with cookies for this server.
    def browser(server)
      Browser.new("http://127.0.0.1:#{server.port}", File.join(work_dir, 'cookies'), method(:curl))
    end

    # Waits until the block gives something true, and returns that.
    def eventually(within: 5, &block)
      Deadline.new(within, 'what was expected to happen').poll(&block)
    end

    # Undoes what the example set up, the last thing first.
    def clean_up
      cleanups.reverse_each(&:call)
    end

    private

    def cleanups
      RSpec.current_example ? (@example_cleanups ||= []) : context_cleanups
    end

    # What before(:context) set up lasts until the end of its group.
    def context_cleanups
      @context_cleanups ||= [].tap { |list| self.class.after(:context) { list.reverse_each(&:call) } }
    end
  end
end
