# frozen_string_literal: true

module Iodine
  module PubSub
    # The engines that are told of names: of this process, in the root of all. Notices alone call what is theirs, one at
    # a time.
    # @api private
    module Engines
      @lock = Mutex.new
      @states = {}.compare_by_identity # engine => :new, :told or :leaving
      @names = {} # [name, match] that the engines were told of
      @fresh = nil # those that are listed just now

      class << self
        def add(engine)
          @lock.synchronize { @states[engine] = @states[engine] ? :told : :new }
          list
        end

        # It is told of all names again.
        def renew(engine)
          @lock.synchronize { @states[engine] = :new if @states[engine] }
          list
        end

        def remove(engine)
          @lock.synchronize { @states[engine] = :leaving if @states[engine] }
          list
        end

        # From here on the names are this server's.
        def attach(server)
          @server = server
          list unless @states.empty?
        end

        def detach
          @server = nil
          forget
        end

        # In a forked process.
        def reset
          @lock = Mutex.new
          detach
        end

        def name(name, match, there)
          key = [name, match]
          return @fresh[key] = true if @fresh
          return if there == @names.key?(key)

          there ? @names[key] = true : @names.delete(key)
          tell(engines(:told, :leaving), key, there)
        end

        def listing
          @fresh = {}
        end

        # What has changed since the names were listed before is told, too.
        def listed
          fresh = @fresh
          @fresh = nil
          settled = engines(:told, :leaving)
          @names.each_key { |key| tell(settled, key, false) unless fresh.key?(key) }
          fresh.each_key { |key| tell(settled, key, true) unless @names.key?(key) }
          @names = fresh
          begin_new
          end_leaving
        end

        private

        def list
          server = @server
          server ? server.list_names : forget
        end

        # Nothing is told while no server is open.
        def forget
          @lock.synchronize do
            @names = {}
            @fresh = nil
            @states.delete_if { |_, state| state == :leaving }
            @states.transform_values! { :new }
          end
        end

        def engines(*states)
          @lock.synchronize { @states.select { |_, state| states.include?(state) }.keys }
        end

        def begin_new
          engines(:new).each do |engine|
            @names.each_key { |key| tell([engine], key, true) }
            @lock.synchronize { @states[engine] = :told if @states[engine] == :new }
          end
        end

        def end_leaving
          engines(:leaving).each do |engine|
            @names.each_key { |key| tell([engine], key, false) }
            @lock.synchronize { @states.delete(engine) if @states[engine] == :leaving }
          end
        end

        # One that fails is no matter of the others.
        def tell(engines, key, there)
          engines.each do |engine|
            there ? engine.subscribe(*key) : engine.unsubscribe(*key)
          rescue StandardError, ScriptError => e
            Log.exception("#{engine.class}##{there ? 'subscribe' : 'unsubscribe'}", e)
          end
        end
      end
    end
    private_constant :Engines
  end
end
