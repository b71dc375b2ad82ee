# frozen_string_literal: true

require_relative 'option'
require_relative 'checks'

module Iodine
  module CLI
    SECONDS = (0..2_000_000)
    COUNT = (0..1_000_000)

    # All that the command line takes, in the order of the help.
    # @api private
    OPTIONS = [
      Option.new(:port, %w[p port], value: 'PORT', range: 0..65_535,
                                    help: 'port, 0: any free one (default: PORT of the environment, or 3000)'),
      Option.new(:address, %w[b bind address], value: 'ADDRESS', repeats: true, check: Checks::ADDRESS,
                                               help: 'address, URL or path of a Unix socket; repeats (default: all)'),
      Option.new(:threads, %w[t threads], value: 'NUM', range: -4095..4095,
                                          help: 'threads of each worker, -n: cores / n'),
      Option.new(:workers, %w[w workers], value: 'NUM', range: -511..511,
                                          help: 'worker processes, -n: cores / n, 1: no fork'),
      Option.new(:log, %w[v log], help: 'log each request'),
      Option.new(:verbosity, %w[V verbosity], value: 'NUM', range: 0..5,
                                              help: '0 none, 1 fatal, 2 error, 3 warning, 4 info (default), 5 debug'),
      Option.new(:timeout, %w[k keep-alive tout], value: 'SECONDS', range: SECONDS,
                                                  help: 'a connection may be idle for so long (default: 40)'),
      Option.new(:max_body, %w[maxbd max-body], value: 'MB', range: 1..1_000_000,
                                                help: 'largest body of a request (default: 50)'),
      Option.new(:max_headers, %w[maxhd max-header], value: 'KB', range: 1..(Server.build[:max_header_length] / 1024),
                                                     help: 'largest head of a request (default: as built, 32)'),
      Option.new(:max_pending, %w[max-pending], value: 'MB', range: 1..1_000_000,
                                                help: 'what may wait for a connection that isn\'t HTTP (default: 16)'),
      Option.new(:ping, %w[ping], value: 'SECONDS', range: 0..255,
                                  help: 'ping silent WebSockets and event streams after so long (default: 40)'),
      Option.new(:max_msg, %w[maxms max-msg], value: 'KB', range: 1..1_000_000,
                                              help: 'largest message of a WebSocket (default: 250)'),
      Option.new(:allowed_origin, %w[allowed-origin], value: 'ORIGIN', repeats: true, check: Checks::ORIGIN,
                                                      help: 'pages that may open WebSockets; repeats (default: all)'),
      Option.new(:redis, %w[r redis], value: 'URL', check: Checks::REDIS,
                                      help: 'pub/sub through this Redis: redis://, rediss://, unix://'),
      Option.new(:redis_ping, %w[rp redis-ping], value: 'SECONDS', range: 0..255,
                                                 help: 'ask a silent Redis after so long, 0: never (default: 30)'),
      Option.new(:no_deflate, %w[no-deflate], help: 'don\'t compress WebSockets'),
      Option.new(:max_clients, %w[max-clients], value: 'NUM', range: COUNT,
                                                help: 'connections of each worker (default: what the system allows)'),
      Option.new(:max_per_address, %w[max-per-address], value: 'NUM', range: COUNT,
                                                        help: 'connections of one client address (default: any)'),
      Option.new(:max_queue, %w[max-queue], value: 'NUM', range: COUNT,
                                            help: 'requests of a worker that wait for a thread (default: any)'),
      Option.new(:queue_timeout, %w[queue-timeout], value: 'MS', range: SECONDS,
                                                    help: 'time that a request may wait for a thread (default: any)'),
      Option.new(:request_timeout, %w[request-timeout], value: 'SECONDS', range: SECONDS,
                                                        help: 'time until a response begins (default: any)'),
      Option.new(:backlog, %w[backlog], value: 'NUM', range: 1..65_535,
                                        help: 'connections that wait to be accepted (default: 1024)'),
      Option.new(:head_timeout, %w[head-timeout], value: 'SECONDS', range: SECONDS,
                                                  help: 'time for the head of a request (default: 10)'),
      Option.new(:body_timeout, %w[body-timeout], value: 'SECONDS', range: SECONDS,
                                                  help: 'time without a byte of a request\'s body (default: 30)'),
      Option.new(:write_timeout, %w[write-timeout], value: 'SECONDS', range: SECONDS,
                                                    help: 'time for a client that doesn\'t read (default: 30)'),
      Option.new(:shutdown_timeout, %w[shutdown-timeout], value: 'SECONDS', range: SECONDS,
                                                          help: 'time for requests under way at a stop (default: 25)'),
      Option.new(:worker_timeout, %w[worker-timeout], value: 'SECONDS', range: SECONDS,
                                                      help: 'kill a worker that hangs so long, 0: never (default: 60)'),
      Option.new(:worker_max_rss, %w[worker-max-rss], value: 'MB', range: COUNT,
                                                      help: 'replace a worker that has grown so large'),
      Option.new(:worker_max_requests, %w[worker-max-requests], value: 'NUM', range: 0..999_999_999,
                                                                help: 'replace a worker after so many requests'),
      Option.new(:worker_max_age, %w[worker-max-age], value: 'SECONDS', range: SECONDS,
                                                      help: 'replace a worker after so long'),
      Option.new(:public, %w[www public], value: 'FOLDER', check: Checks::FOLDER,
                                          help: 'serve this folder\'s files, then the application'),
      Option.new(:max_age, %w[max-age], value: 'SECONDS', range: 0..999_999_999,
                                        help: 'clients may keep a file for so long (default: 3600)'),
      Option.new(:sendfile_root, %w[sendfile-root], value: 'FOLDER', repeats: true, check: Checks::FOLDER,
                                                    help: 'with -www: the application may send these files too'),
      Option.new(:no_symlinks, %w[no-symlinks], help: 'don\'t follow symlinks that lead out of these folders'),
      Option.new(:tls, %w[tls], help: 'TLS, with a self-signed certificate if none is given'),
      Option.new(:tls_cert, %w[tls-cert cert], value: 'FILE', help: 'TLS with this certificate: PEM, with its chain'),
      Option.new(:tls_key, %w[tls-key key], value: 'FILE',
                                            help: 'its private key (default: in the certificate\'s file)'),
      Option.new(:tls_password, %w[tls-pass tls-password], value: 'TEXT', help: 'the password of the key'),
      Option.new(:trusted_proxy, %w[trusted-proxy], value: 'CIDR', repeats: true, check: Checks::NETWORK,
                                                    help: 'believe the X-Forwarded-* of these proxies; repeats'),
      Option.new(:proxy_protocol, %w[proxy-protocol],
                 help: 'connections begin with a PROXY header, of trusted proxies only'),
      Option.new(:metrics, %w[metrics], value: 'ADDRESS', check: Checks::METRICS,
                                        help: 'tell here how the server is doing: PORT, HOST:PORT, unix:'),
      Option.new(:config, %w[C config], value: 'FILE',
                                        help: 'configuration, or any Ruby (default: config/iodine.rb if it is there)'),
      Option.new(:check, %w[check], help: 'start nothing: print what is in force and who set it, or the error'),
      Option.new(:pid, %w[pid pidfile], value: 'FILE', help: 'write the process id here'),
      Option.new(:no_db_hooks, %w[no-db-hooks], help: 'leave ActiveRecord and Sequel alone when a worker is forked'),
      Option.new(:environment, %w[e], value: 'ENV', help: 'set RACK_ENV'),
      Option.new(:warmup, %w[warmup preload],
                 help: 'before a worker accepts, load all constants and send the app one GET /'),
      Option.new(:no_preload, %w[no-preload], help: 'load the application in each worker, not in the root'),
      Option.new(:version, %w[version], help: 'print the version'),
      Option.new(:help, %w[? h help], help: 'print this help')
    ].freeze

    # Known names that do nothing yet: they are refused, never ignored. Some have a value, and must be told from others.
    # @api private
    LATER = [
      %w[log-format], %w[log-file]
    ].map { |names| Option.new(nil, names, value: 'VALUE') }.freeze
  end
end
