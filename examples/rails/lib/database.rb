# frozen_string_literal: true

# The database makes itself: created and migrated at the first boot, and after an update.
module Database
  # Several servers may start at once: one of them migrates, the others wait.
  def self.prepare
    ActiveRecord::Migration.verbose = false
    Notebook::STORAGE.join('migrate.lock').open(File::CREAT | File::RDWR) do |lock|
      lock.flock(File::LOCK_EX)
      ActiveRecord::Base.connection_pool.migration_context.migrate if pending?
    end
    ActiveRecord::Base.connection_handler.clear_all_connections!
  end

  def self.pending?
    ActiveRecord::Base.connection_pool.migration_context.needs_migration?
  end
  private_class_method :pending?
end
