# frozen_string_literal: true

# How many threads and workers, and the defaults.
module Iodine
  DEFAULT_PORT = 3000
  private_constant :DEFAULT_PORT

  # What {Iodine.listen} takes where the call leaves it out. Change it before `listen`:
  #
  #     Iodine::DEFAULT_SETTINGS[:port] = 4000
  #
  # Times are in seconds, `queue_timeout` in ms; 0 = none. `max_headers` is in KB (nil = what the build allows),
  # `max_msg` too; `max_body` and `max_pending` in MB.
  # Some belong to {Iodine.start}: `shutdown_timeout` is how long a graceful stop waits for requests under way;
  # `no_db_hooks` leaves ActiveRecord and Sequel alone when a worker is forked; `worker_timeout` is how long requests
  # may wait while no thread takes any, before their worker is killed, and how long one may take to come up;
  # `worker_max_rss` (MB), `worker_max_requests` and `worker_max_age` say when one is replaced. `metrics` is where the
  # server tells how it is doing: a port, "host:port" or the path of a Unix socket. `log_file` is where the access log
  # goes (nil: standard error), `log_format` how it looks: "clf" or "json"; with either of the two there is one, without
  # `log`.
  DEFAULT_SETTINGS = { # rubocop:disable Style/MutableConstant
    port: DEFAULT_PORT, address: nil, mode: 0o660, backlog: 1024, log: false,
    timeout: 40, head_timeout: 10, body_timeout: 30, write_timeout: 30, shutdown_timeout: 25,
    worker_timeout: 60, worker_max_rss: 0, worker_max_requests: 0, worker_max_age: 0,
    max_headers: nil, max_body: 50, max_clients: 0, max_per_address: 0,
    max_queue: 0, queue_timeout: 0, request_timeout: 0,
    public: nil, max_age: 3600, sendfile_root: nil, no_symlinks: false,
    trusted_proxy: [], proxy_protocol: false, max_pending: 16,
    ping: 40, max_msg: 250, deflate: true, allowed_origin: [],
    no_db_hooks: false, metrics: nil,
    log_file: nil, log_format: nil
  }
  DEFAULT_HTTP_ARGS = DEFAULT_SETTINGS

  # How many threads and workers, and what the environment says of them.
  # @api private
  module Settings
    # The first name that is set decides.
    ENVIRONMENT = {
      threads: %w[THREADS RAILS_MAX_THREADS], workers: %w[WEB_CONCURRENCY WORKERS],
      port: %w[PORT], address: %w[ADDRESS], redis: %w[IODINE_REDIS_URL], environment: %w[RACK_ENV]
    }.freeze
    MAX_THREADS = 4095
    MAX_WORKERS = 511
    DEFAULT_THREADS = 4

    @threads = @workers = 0

    class << self
      attr_reader :threads, :workers

      def threads=(number)
        @threads = check('threads', number, MAX_THREADS)
      end

      def workers=(number)
        @workers = check('workers', number, MAX_WORKERS)
      end

      # Takes what the environment sets, and leaves the rest as it is.
      def read_environment
        environment_number(:threads) { |number| self.threads = number }
        environment_number(:workers) { |number| self.workers = number }
        %i[port address].each do |key|
          name = variable(key)
          DEFAULT_SETTINGS[key] = ENV.fetch(name) if name
        end
      end

      # @param key [Symbol] of a setting
      # @return [String, nil] the variable of the environment that sets it
      def variable(key)
        ENVIRONMENT.fetch(key, []).find { |name| !ENV.fetch(name, '').empty? }
      end

      # All of them as they are, to be compared later.
      # @return [Hash]
      def now
        settings = DEFAULT_SETTINGS.transform_values { |value| value.is_a?(Array) ? value.dup : value }
        settings.merge(threads: threads, workers: workers, verbosity: Iodine.verbosity)
      end

      # @return [Array(Integer, Integer)] threads and workers, each at least 1
      def concurrency
        return [DEFAULT_THREADS, Cores.workers] if unset?

        [resolve(threads), resolve(workers)]
      end

      # Has nobody said how many?
      def unset?
        threads.zero? && workers.zero?
      end

      # @return [Numeric] seconds
      def shutdown_timeout
        amount(:shutdown_timeout)
      end

      # @return [Numeric] of those that belong to the start
      def amount(name)
        number = DEFAULT_SETTINGS[name]
        return number if number.is_a?(Numeric) && !number.negative?

        raise ArgumentError, "#{name} is #{number.inspect}: set a number, 0 or more"
      end

      private

      def check(name, number, most)
        unless number.is_a?(Integer)
          raise TypeError, "#{name} must be an Integer, not #{number.class}: give a number such as 4"
        end
        return number if number <= most

        raise RangeError, "#{name} is #{number}: give at most #{most}"
      end

      def environment_number(key)
        name = variable(key)
        yield Integer(ENV.fetch(name), 10) if name
      rescue ArgumentError, RangeError
        Log.once(name, "#{name}=#{ENV.fetch(name).inspect} in the environment is ignored: set it to a number such as 4")
      end

      # Below 0: a fraction of the cores.
      def resolve(number)
        return 1 if number.zero?

        number.positive? ? number : [Cores.count / -number, 1].max
      end
    end

    read_environment
    INITIAL = now.freeze # before anybody has set anything in Ruby
  end
  private_constant :Settings

  class << self
    # @return [Integer] application threads of each worker; 0 = not set, -n = cores / n
    def threads
      Settings.threads
    end

    # @raise [TypeError] when it is no Integer
    # @raise [RangeError] from 4096 on
    def threads=(number)
      Settings.threads = number
    end

    # @return [Integer] worker processes; 0 = not set, -n = cores / n, 1 = this process serves and forks none
    def workers
      Settings.workers
    end

    # @raise [TypeError] when it is no Integer
    # @raise [RangeError] from 512 on
    def workers=(number)
      Late.too_late?('Iodine.workers=')
      Settings.workers = number
    end
  end
end
