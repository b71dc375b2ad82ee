# frozen_string_literal: true

module Iodine
  # A connection to a database must be in one process only. Right before a fork the pools of ActiveRecord, of all roles
  # and shards, and those of Sequel let go of theirs; they connect again when they are asked next, in the root and in
  # the worker. What another thread of the root is using at that moment stays the root's, and the worker forgets it.
  # @api private
  module Databases
    @abandoned = []

    class << self
      # Forks, as Ruby does.
      # @return [Integer] the process
      def fork(&)
        return ::Process.fork(&) if DEFAULT_SETTINGS[:no_db_hooks]

        leave
        ::Process.fork do
          forget
          yield
        end
      end

      private

      # In the root.
      def leave
        pools_of_active_record.each { |pool| tell("ActiveRecord's pool #{pool.db_config.name}") { empty(pool) } }
        databases_of_sequel.each { |database| tell(name_of(database)) { database.disconnect } }
      end

      # In the worker. ActiveRecord does so by itself.
      def forget
        databases_of_sequel.each { |database| tell(name_of(database)) { renew(database) } }
      end

      def pools_of_active_record
        return [] unless defined?(::ActiveRecord::Base) && !::ActiveRecord.autoload?(:Base)

        handler = ::ActiveRecord::Base.connection_handler
        return handler.connection_pool_list(:all) if ::ActiveRecord.version >= Gem::Version.new('7.1')

        handler.respond_to?(:all_connection_pools) ? handler.all_connection_pools : handler.connection_pool_list
      end

      def databases_of_sequel
        defined?(::Sequel::DATABASES) ? ::Sequel::DATABASES.dup : []
      end

      # Its URI has the password.
      def name_of(database)
        "Sequel's #{database.adapter_scheme} #{database.opts[:database]}"
      end

      # All but what other threads use: disconnect! would wait for those, and then break them.
      def empty(pool)
        pool.release_connection
        pool.flush!
      end

      # A pool that takes what the root's threads have for its own would give it to ours when it finds them dead.
      def renew(database)
        old = database.pool
        taken = in_use(old)
        return if taken.empty?

        taken.each { |connection| abandon(connection) }
        fresh = ::Sequel::ConnectionPool.get_pool(database, database.opts)
        (old.singleton_class.included_modules - old.class.included_modules).reverse_each { |more| fresh.extend(more) }
        database.instance_variable_set(:@pool, fresh)
      end

      # By which threads, and with more than one server by which server before that.
      def in_use(pool)
        threads = pool.instance_variable_get(:@allocated).to_h.values
        threads.flat_map { |found| found.is_a?(Hash) ? found.values : [found] }
      end

      # Nothing of it may reach the server any more, its own good-bye neither.
      def abandon(connection)
        @abandoned << connection
        if connection.respond_to?(:socket_io) then connection.socket_io.reopen(IO::NULL) # pg
        elsif connection.respond_to?(:automatic_close=) then connection.automatic_close = false # mysql2
        elsif connection.respond_to?(:discard!) then connection.discard! # trilogy
        end
      end

      # A pool that can't do it doesn't keep the others from it.
      def tell(whose)
        yield
      rescue StandardError => e
        Log.exception("#{whose} could not be disconnected before a fork", e)
      end
    end
  end
  private_constant :Databases
end
