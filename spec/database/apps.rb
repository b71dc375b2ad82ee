# frozen_string_literal: true

# Applications that keep their rows in PostgreSQL, as config.ru text. Each is asked for /NAME to write a row of that name, and
# tells its process and the backends of its two pools; for /boot it tells the backends that it had when it was loaded.
# The root uses the first pool all the time, on a thread of its own.
module DatabaseApps
  COMMON = <<~'RUBY'
    BOOT = Store.backends
    Iodine.run_every(10) { Store.write('beat', 0.01) unless Iodine.worker? }
    run(lambda do |env|
      name = env['PATH_INFO'].delete('/')
      backends = name == 'boot' ? BOOT : Store.write(name)
      [200, { 'content-type' => 'text/plain' }, [[Process.pid, *backends].join(' ')]]
    end)
  RUBY

  # With a primary and a replica, as the roles of one model.
  ACTIVE_RECORD = <<~'RUBY' + COMMON
    require 'active_record'
    database = { adapter: 'postgresql', host: ENV.fetch('DATABASE'), username: 'app', database: 'postgres', pool: 8 }
    ActiveRecord::Base.configurations = { ENV['RACK_ENV'] => { primary: database, replica: database.merge(replica: true) } }
    class Row < ActiveRecord::Base
      self.abstract_class = true
      connects_to database: { writing: :primary, reading: :replica }
    end
    class Write < Row; end

    module Store
      BACKEND = 'SELECT pg_backend_pid()'

      def self.write(name, pause = 0)
        writing = Row.connection_pool.with_connection do |connection|
          Write.create!(name: name, pid: Process.pid, backend: connection.select_value(BACKEND))
          sleep pause
          connection.select_value(BACKEND)
        end
        [writing, Row.connected_to(role: :reading) { Row.connection_pool.with_connection { |one| one.select_value(BACKEND) } }]
      end

      def self.backends
        %i[writing reading].map { |role| Row.connected_to(role: role) { Row.connection.select_value(BACKEND) } }
      end
    end
  RUBY

  SEQUEL = <<~'RUBY' + COMMON
    require 'sequel'
    ONE, TWO = Array.new(2) do
      Sequel.connect(adapter: 'postgres', host: ENV.fetch('DATABASE'), user: 'app', database: 'postgres', max_connections: 5)
    end
    TWO.extension(:connection_validator)

    module Store
      BACKEND = 'SELECT pg_backend_pid()'

      def self.write(name, pause = 0)
        backend = ONE.synchronize do
          ONE[:writes].insert(name: name, pid: Process.pid, backend: ONE.get(Sequel.lit('pg_backend_pid()')))
          sleep pause
          ONE.get(Sequel.lit('pg_backend_pid()'))
        end
        [backend, TWO.get(Sequel.lit('pg_backend_pid()'))]
      end

      def self.backends
        [ONE, TWO].map { |database| database.get(Sequel.lit('pg_backend_pid()')) }
      end
    end
  RUBY
end
