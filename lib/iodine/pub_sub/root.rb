# frozen_string_literal: true

require 'monitor'

module Iodine
  module PubSub
    # How an engine works in the root alone, for all processes of the cluster: what is told or asked in a worker reaches
    # the engine of the same number in the root, in order. Engines that were made before the fork have the same number
    # in each process.
    # @api private
    module Root
      @lock = Monitor.new
      @numbers = ObjectSpace::WeakMap.new # by engine
      @engines = ObjectSpace::WeakMap.new # by number
      @made = 0
      @answers = {} # by the ids of what was asked
      @asked = 0
      @waiting = [] # what is said while this process starts

      class << self
        # The root's engine is told, by `engine.told(payload)`. May be called in a trap while the server is open.
        # @param payload [String] bytes
        # @return [void]
        # @raise [ArgumentError] when the payload is over 16 MB
        def tell(engine, payload)
          submit(engine, payload, nil)
        end

        # The root's engine is asked, by `engine.asked(payload) { |reply| … }`. The block gets its reply on an
        # application thread, or nil: the root is gone, or doesn't know the engine.
        # @param payload [String] bytes
        # @yieldparam reply [String, nil]
        # @return [void]
        # @raise [ArgumentError] when the payload is over 16 MB
        def ask(engine, payload, &answer)
          submit(engine, payload, answer)
        end

        # With the process in it, since a worker may make engines that the root doesn't have.
        # @return [Integer]
        def number(engine)
          @numbers[engine] ||= ((::Process.pid << 32) | (@made += 1)).tap { |number| @engines[number] = engine }
        end

        # What was said somewhere has come here.
        # @param from [Integer] where a reply goes
        # @param id [Integer] what it is for; 0 = none is wanted
        def command(number, payload, from, id)
          engine = @engines[number.to_i]
          if id.positive? then answer(engine, payload) { |reply| @server&.reply(from, id, reply) }
          elsif engine then engine.told(payload)
          else
            Log.once(:unknown_engine, 'the root does not have the engine that a worker publishes with: ' \
                                      'engines must be made before the start')
          end
        end

        def replied(id, payload)
          give(@lock.synchronize { @answers.delete(id) }, payload)
        end

        # No reply will come any more.
        def lost
          answers = @lock.synchronize { @answers.values.tap { @answers = {} } }
          answers.each { |answer| give(answer, nil) }
        end

        # From here on the server carries what is said, first what was said before.
        def attach(server)
          @lock.synchronize do
            @waiting.slice!(0..).each { |words| send_to(server, *words) }
            @server = server
          end
        end

        def detach
          @server = nil
          lost
        end

        # In a forked process: nothing of the root's is here, whoever held the lock.
        def reset
          @lock = Monitor.new
          @server = nil
          @answers = {}
          @waiting = []
        end

        private

        def submit(*words)
          server = @server if Runtime.running?
          if server then send_to(server, *words)
          elsif !Runtime.starting? then without_server(*words)
          else @lock.synchronize { @server ? send_to(@server, *words) : @waiting << words }
          end
        end

        def send_to(server, engine, payload, block)
          sent = server.command(number(engine).to_s, block ? keep(block) : 0, payload)
          block.call(nil) if block && !sent
        end

        # Nobody but the caller is there to do it.
        def without_server(engine, payload, block)
          if Runtime.role == :worker then block&.call(nil)
          elsif block then answer(engine, payload.b, &block)
          else engine.told(payload.b)
          end
        end

        # Once, also when the engine fails.
        def answer(engine, payload)
          over = false
          once = lambda do |reply = nil|
            yield reply unless over
            over = true
          end
          engine ? engine.asked(payload, &once) : once.call
        rescue StandardError, ScriptError => e
          Log.exception("#{engine.class}#asked", e)
          once.call
        end

        def keep(block)
          @lock.synchronize do
            @answers[@asked += 1] = block
            @asked
          end
        end

        def give(block, reply)
          return unless block

          server = @server
          server ? server.defer { block.call(reply) } : block.call(reply)
        end
      end
    end
  end
end
