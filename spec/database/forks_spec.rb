# frozen_string_literal: true

require_relative 'apps'

# A real PostgreSQL under preloaded applications: 2 workers of 4 threads that are replaced and killed during load.
RSpec.describe 'database connections across forks' do
  before(:context) { @postgres = boot_postgres }

  before { @postgres.ask('DROP TABLE IF EXISTS writes; CREATE TABLE writes (id serial, name text, pid int, backend int)') }

  def serve(app, *arguments)
    env = { 'BUNDLE_GEMFILE' => File.join(ROOT, 'gemfiles', 'databases.gemfile'), 'DATABASE' => @postgres.dir }
    boot(app, '-w', '2', '-t', '4', *arguments, lint: false, env: env, timeout: 60)
  end

  # Clients that write rows until they are told to stop.
  class Writers
    attr_reader :answered, :cut_off, :strange

    def initialize(server, count)
      @server = server
      @answered = {}
      @cut_off = []
      @strange = []
      @lock = Mutex.new
      @threads = Array.new(count) { |number| Thread.new { write(number) } }
    end

    def stop
      @stopped = true
      @threads.each(&:join)
    end

    private

    def write(number)
      (0..).each do |turn|
        break if @stopped

        name = "row-#{number}-#{turn}"
        ask(name)
      end
    end

    def ask(name)
      client = @server.client(timeout: 30)
      response = client.get("/#{name}", { 'connection' => 'close' })
      @lock.synchronize { response.status == 200 ? @answered[name] = response.body.split.map(&:to_i) : @strange << response.body }
    rescue SystemCallError, Support::RawClient::Closed
      @lock.synchronize { @cut_off << name }
    ensure
      client&.close
    end
  end

  # USR1, until each worker is another one.
  def rotate(server)
    old = server.children
    server.kill(:USR1)
    eventually(within: 60) { server.children.size == 2 && !server.children.intersect?(old) }
  end

  def kill_one(server)
    victim = server.children.first
    Process.kill(:KILL, victim)
    eventually(within: 60) { server.children.size == 2 && !server.children.include?(victim) }
  end

  def boot_backends(server)
    server.get('/boot').body.split.drop(1)
  end

  def alive(backends)
    @postgres.ask("SELECT pid FROM pg_stat_activity WHERE pid IN (#{backends.join(',')})").flatten
  end

  # Of each backend, the processes that have used it.
  def users(writers)
    pairs = @postgres.ask('SELECT DISTINCT backend, pid FROM writes').map { |pair| pair.map(&:to_i) }
    pairs += writers.answered.values.flat_map { |pid, *backends| backends.map { |backend| [backend, pid] } }
    pairs.uniq.group_by(&:first).transform_values { |found| found.map(&:last) }
  end

  { 'ActiveRecord' => DatabaseApps::ACTIVE_RECORD, 'Sequel' => DatabaseApps::SEQUEL }.each do |name, app|
    it "of #{name} are never shared, and nothing is lost or written twice" do
      server = serve(app)
      expect(alive(boot_backends(server))).to eq([])

      writers = Writers.new(server, 6)
      eventually(within: 30) { writers.answered.size > 50 }
      2.times { rotate(server) }
      kill_one(server)
      rotate(server)
      before = writers.answered.size
      eventually(within: 30) { writers.answered.size > before + 50 }
      writers.stop

      expect(writers.strange).to eq([])
      expect(writers.cut_off.size).to be <= 6 # of the killed worker, one a client
      times = @postgres.ask("SELECT name, count(*) FROM writes WHERE name <> 'beat' GROUP BY name").to_h
      expect(writers.answered.keys.reject { |row| times[row] == '1' }).to eq([])
      expect(times.values.uniq).to eq(['1'])
      expect(times.keys - writers.answered.keys - writers.cut_off).to eq([])
      expect(users(writers).select { |_, pids| pids.size > 1 }).to eq({})
      expect(@postgres.ask("SELECT count(*) > 20, count(DISTINCT pid) FROM writes WHERE name = 'beat'")).to eq([%w[t 1]])
      expect(server.stderr).not_to match(/closed the connection|PG::|ERROR: (?!worker \d+ was killed)/)
      expect(@postgres.log).not_to match(/invalid message|synchronization|protocol/)
    end

    it "of #{name} stay as they are with --no-db-hooks" do
      server = serve(app, '--no-db-hooks')
      backends = boot_backends(server)
      expect(alive(backends)).to match_array(backends)
    end
  end
end
