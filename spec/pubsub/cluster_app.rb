# frozen_string_literal: true

# Scripts whose processes write down what happens, for the specs of pub/sub.
module ClusterApp
  SCRIPT = <<~'RUBY'
    def role = Iodine.worker? ? 'worker' : 'root'
    def log(*words) = $stdout.syswrite("#{Process.pid} #{role} #{words.join(' ')}\n")
    $stdout.sync = true

    # Evaluates what it is sent, on a connection of its own.
    class Puppet
      def on_message(client, code)
        @client = client
        client.write("#{instance_eval(code).inspect}\n")
      rescue StandardError => e
        client.write("#{e.class}: #{e.message}\n")
      end
    end
  RUBY

  # Runs a script in a root with so many workers (1: alone). `log` notes a line.
  def boot_cluster(source, workers: 2, threads: 2, env: {})
    @server = boot_script(<<~RUBY, env: env, timeout: 60)
      #{SCRIPT}
      Iodine.threads = #{threads}
      Iodine.workers = #{workers}
      #{source}
      Iodine.on_state(:on_start) { log('up') }
      Iodine.listen(service: :raw, address: '127.0.0.1', port: ENV.fetch('PORT')) { Puppet.new }
      Iodine.start
    RUBY
    eventually(within: 60) { noted(/ up$/).size >= workers }
    @server
  end

  # What was noted, all of it or what matches.
  def noted(pattern = //, server = @server)
    server.stdout.lines(chomp: true).grep(pattern)
  end

  # Waits until so many lines match.
  def note(pattern, count = 1, within: 40)
    eventually(within: within) { noted(pattern).then { |lines| lines if lines.size >= count } }
  end

  # A puppet in some worker, which does what it is told.
  def puppet
    dial(timeout: 30).tap { |client| client.extend(Strings) }
  end

  # One in each worker, by their PIDs.
  def puppets(workers = 2)
    all = {}
    eventually(within: 40) do
      one = puppet
      pid = one.run('Process.pid').to_i
      all.key?(pid) ? one.close : all[pid] = one
      all.size == workers
    end
    all
  end

  # How to tell a puppet what to do.
  module Strings
    # @return [String] what the code's value looks like
    def run(code)
      write(code).line
    end

    # @return [String] what comes up to the end of a line
    def line
      text = +''
      text << read(1) until text.end_with?("\n")
      text.chomp
    end
  end
end

RSpec.configure { |config| config.include ClusterApp }
