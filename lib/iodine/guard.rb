# frozen_string_literal: true

module Iodine
  # The root's look at its workers, once a second: one that is sick is killed, one that is used up is replaced.
  # @api private
  class Guard
    EVERY = 1 # seconds between two looks
    APART = 0.9 # seconds between the two looks that have to find a worker sick: a machine that was suspended kills none
    ANSWER = 1 # seconds that a sick worker has for its backtraces
    TICK = 0.02
    PAUSE = 30 # seconds after a worker that was to be replaced, but the new one did not come up

    # @param server [Server] whose slots the workers write to
    def initialize(cluster, server, rotation, events)
      @cluster = cluster
      @server = server
      @rotation = rotation
      @events = events
      @timeout = Settings.amount(:worker_timeout)
      @recycling = Recycling.from_settings
      @suspects = {}
    end

    def start
      return if @timeout.zero? && @recycling.nil?

      Thread.new do
        until @cluster.stopping?
          sleep EVERY
          look_soon unless @asked
        end
      end
    end

    private

    # On the thread that all of the cluster's events are handled on. It may be busy.
    def look_soon
      @asked = true
      @events << lambda do
        look
      rescue StandardError => e
        Log.exception('a look at the workers', e)
      ensure
        @asked = false
      end
    end

    def look
      workers = @cluster.staying
      @suspects.keep_if { |worker, _| workers.include?(worker) }
      workers.each { |worker| judge(worker) } unless @timeout.zero?
      recycle(@cluster.staying.select(&:came_up?)) if @recycling
    end

    # ---- sick ones ----

    def judge(worker)
      symptom = worker.came_up? ? symptom_of(worker) : symptom_of_boot(worker)
      if symptom.nil?
        @suspects.delete(worker)
      elsif Clock.now - (@suspects[worker] ||= Clock.now) >= APART
        condemn(worker, symptom)
      end
    end

    # @return [String, nil] nil: it is well
    def symptom_of(worker)
      silent, stuck = @server.pulse(worker.index)
      return if [silent, stuck].max < @timeout * 1000

      stuck > silent ? "no thread took what waits for #{stuck / 1000} s" : "silent for #{silent / 1000} s"
    end

    def symptom_of_boot(worker)
      "not up after #{worker.age.to_i} s" if worker.age > @timeout
    end

    # It has a second to say what it is at.
    def condemn(worker, symptom)
      Log.error("worker #{worker.pid} is sick and is killed, as worker-timeout is #{@timeout} s: #{symptom}")
      worker.dismissed = true
      dumps = dumps_of(worker)
      worker.order(:dump)
      Thread.new do
        deadline = Clock.now + ANSWER
        sleep TICK until dumps_of(worker) > dumps || Clock.now > deadline
        @events << -> { execute(worker, dumps) }
      end
    end

    def execute(worker, dumps)
      return unless @cluster.workers.include?(worker)

      report_requests(worker) unless dumps_of(worker) > dumps || !worker.came_up?
      worker.kill
    end

    # Ruby doesn't answer there, but what it was asked is known.
    def report_requests(worker)
      requests = @server.stuck(worker.index)
      Log.error("worker #{worker.pid} can't tell what it is at, and no request is known") if requests.empty?
      requests.each do |line, age|
        Log.error("worker #{worker.pid} has not answered for #{age / 1000} s: #{line}")
      end
    end

    def dumps_of(worker)
      @server.pulse(worker.index).last
    end

    # ---- used ones ----

    # One at a time.
    def recycle(workers)
      return if @rotation.busy? || Clock.now < @rotation.failed_at + PAUSE

      workers.each do |worker|
        reason = @recycling.reason(worker, answered_by(worker))
        next unless reason

        Log.info("worker #{worker.pid} #{reason} and is replaced")
        return @rotation.replace(worker)
      end
    end

    def answered_by(worker)
      @server.pulse(worker.index)[2]
    end
  end
  private_constant :Guard
end
