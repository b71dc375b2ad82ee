# frozen_string_literal: true

module Iodine
  module PubSub
    class Redis
      # The names that this cluster listens to, and how far Redis knows of them. Each change has a turn: no message is
      # on its way while a change is, and one that was published after a change comes after it. So it is certain which
      # messages have an echo. To be used under the latch, but for questions of the session's thread.
      # @api private
      class Names
        MOST = 500 # in one command

        # alone: in a command of its own, to learn which one of several is denied.
        Change = Struct.new(:verb, :name, :turn, :alone)

        # An answer that the connection owes: to a change of names, or without changes to a PING. When it comes, all
        # messages up to a number have come back, if they do at all.
        Answer = Struct.new(:changes, :left, :number)

        # @return [Integer] of the last change
        attr_reader :turn

        # Is the channel the name, or one that matches it? Where Redis and Ruby don't agree about a pattern, nothing but
        # a message that came in the moment of the subscription depends on it.
        def self.cover?(name, pattern, channel)
          return name == channel unless pattern

          File.fnmatch?(name.b, channel.b, File::FNM_DOTMATCH)
        rescue ArgumentError # a NUL
          true
        end

        def initialize
          @all = { false => {}, true => {} } # by whether they are patterns
          @changes = []
          @answers = []
          @turn = 0
        end

        # @param pattern [Boolean]
        def add(name, pattern)
          return if @all[pattern].key?(name)

          @all[pattern][name] = true
          change(verb(pattern), name)
        end

        def remove(name, pattern)
          change(pattern ? 'PUNSUBSCRIBE' : 'UNSUBSCRIBE', name) if @all[pattern].delete(name)
        end

        def any?
          @all.each_value.any?(&:any?)
        end

        def none?
          !any?
        end

        def cover?(channel)
          @all[false].key?(channel) || @all[true].each_key.any? { |name| Names.cover?(name, true, channel) }
        end

        # A new connection is there, and has to be told all names before any message.
        # @param holder [Subscriber]
        def open(holder)
          close
          @holder = holder
          @all.each do |pattern, names|
            names.each_key { |name| @changes << Change.new(verb(pattern), name, 0, false) }
          end
        end

        def close
          @holder = nil
          [@changes, @answers].each(&:clear)
        end

        def open?
          !@holder.nil?
        end

        def holder?(subscriber)
          @holder.equal?(subscriber)
        end

        # May a message that was published in this turn be sent? 0: does Redis know all that there was at first?
        def known?(turn)
          return none? unless open?

          settled? && (@changes.empty? || @changes.first.turn > turn)
        end

        # Is there anything for {#take}?
        def ready?
          @changes.any? && settled?
        end

        # The changes that Redis has yet to be told, and from now on owes an answer to.
        # @param number [Integer] of the last message that it has
        # @return [Array<Array<String>>] commands
        def take(number)
          return [] unless ready?

          groups.map do |group|
            @answers << Answer.new(group, group.size, number)
            [group.first.verb, *group.map(&:name)]
          end
        end

        # A PING is on its way.
        def ping(number)
          @answers << Answer.new(nil, 1, number)
        end

        def answers?
          @answers.any?
        end

        def ping?
          @answers.any? { |answer| answer.changes.nil? }
        end

        # One name, or a PING, was answered.
        # @return [Integer, nil] messages up to this number are there
        def answered
          answer = @answers.first or return
          @answers.shift if (answer.left -= 1) < 1
          answer.number
        end

        # A command was refused. If it had several names, each gets one of its own.
        # @return [Array(Integer, String)] messages up to this number are there; the name that is denied, or nil
        def refused
          answer = @answers.shift or return
          changes = answer.changes.to_a
          @changes.unshift(*changes.each { |change| change.alone = true }) if changes.size > 1
          [answer.number, (changes.first.name if changes.one?)]
        end

        private

        def verb(pattern)
          pattern ? 'PSUBSCRIBE' : 'SUBSCRIBE'
        end

        def change(verb, name)
          @turn += 1
          @changes << Change.new(verb, name, @turn, false) if open?
        end

        # No change is on its way.
        def settled?
          @answers.all? { |answer| answer.changes.nil? }
        end

        # Takes the changes, those that may share a command together.
        def groups
          changes = @changes
          @changes = []
          together = changes.slice_when { |one, other| one.verb != other.verb || one.alone || other.alone }
          together.flat_map { |group| group.each_slice(MOST).to_a }
        end
      end
      private_constant :Names
    end
  end
end
