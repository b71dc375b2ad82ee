# frozen_string_literal: true

module Iodine
  # When a healthy worker is replaced all the same: it has grown, has answered many requests, or is old.
  # @api private
  class Recycling
    JITTER = 0.1 # of each limit, less for some workers, so that those that began together don't all end together

    # What counts, its unit, and how it is told.
    LIMITS = {
      worker_max_rss: 'has %d MB of memory',
      worker_max_requests: 'has answered %d requests',
      worker_max_age: 'is %d s old'
    }.freeze

    # @return [Recycling, nil] nil when no limit is set
    def self.from_settings
      limits = LIMITS.keys.to_h { |name| [name, Settings.amount(name)] }.reject { |_, limit| limit.zero? }
      new(limits) unless limits.empty?
    end

    # A single process can't be replaced.
    def self.warn_of_no_use
      named = LIMITS.keys.reject { |name| Settings.amount(name).zero? }
      return if named.empty?

      options = named.map { |name| name.to_s.tr('_', '-') }.join(', ')
      Log.warning("#{options}: of no use in a single process, which nothing could replace: use two workers or more")
    end

    def initialize(limits)
      @limits = limits
    end

    # @param answered [Integer] requests
    # @return [String, nil] why it is to be replaced, as the end of a sentence
    def reason(worker, answered)
      share = 1 - (JITTER * Random.new(worker.pid).rand)
      name, value = @limits.keys.map { |key| [key, measure(key, worker, answered)] }
                           .find { |key, amount| amount >= @limits[key] * share }
      format(LIMITS[name], value) if name
    end

    private

    def measure(name, worker, answered)
      case name
      when :worker_max_rss then rss(worker.pid) >> 20
      when :worker_max_requests then answered
      else worker.age
      end
    end

    # @return [Integer] bytes in RAM, 0 when it is gone
    def rss(pid)
      return File.read("/proc/#{pid}/status")[/^VmRSS:\s*(\d+)/, 1].to_i * 1024 if File.exist?('/proc/self/status')

      `ps -o rss= -p #{pid}`.to_i * 1024
    rescue SystemCallError
      0
    end
  end
  private_constant :Recycling
end
