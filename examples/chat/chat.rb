# frozen_string_literal: true

require 'json'
require 'monitor'
require 'securerandom'

# A chat. What happens is published as JSON, and goes from there to the pages without Ruby:
#
#     chat:room:ROOM   { type: line, id, room, user, name, text, at }   somebody said something
#     chat:people      { type: join, id, room, user, name }             somebody came; id is the connection's
#                      { type: leave, id }                              and went
#     chat:workers     { type: ask }                                    a process has just started
#                      { type: news, messages }                         lines and joins that it may not know
#
# Each connection has an instance of this class, a WebSocket and an event stream (SSE) alike.
# There are no passwords: who says to be Ann is Ann.
class Chat
  BEAT = Float(ENV.fetch('CHAT_BEAT', 10)) # seconds between two signs of life

  # What newcomers must know: the last lines of each room, and who is here. Every process has one, and makes it of what
  # is published, like the pages do.
  class Memory
    include MonitorMixin

    LINES = 50
    ROOMS = 100

    def initialize
      super
      @lines = {}  # a room => its last lines
      @people = {} # a connection's id => its join
      @heard = {}  # a connection's id => when its process last spoke of it
      @mine = {}   # the joins of this process
      @guests = {} # the ids of those who have come, but were told nothing yet => who tells them
    end

    # The block is called as soon as all is known here that was published before.
    def enter(join, &welcome)
      synchronize do
        @guests[join[:id]] = welcome
        Chat.publish(@mine[join[:id]] = join)
      end
    end

    def leave(join)
      synchronize do
        @guests.delete(join[:id])
        Chat.publish({ type: 'leave', id: join[:id] }) if @mine.delete(join[:id])
      end
    end

    def people
      synchronize { @people.values }
    end

    def lines(room)
      synchronize { @lines.fetch(room, []).dup }
    end

    # Something was published, here or elsewhere.
    def learn(message)
      synchronize do
        case message[:type]
        when 'line' then add_line(message)
        when 'join' then add_person(message)
        when 'leave' then remove_person(message[:id])
        when 'news' then hear(message[:messages])
        when 'ask' then answer
        end
      end
    end

    # Says who is here. A process that was killed says nothing any more: its people are gone.
    def beat
      synchronize do
        Chat.publish({ type: 'news', messages: @mine.values })
        silent.each { |id| Chat.publish({ type: 'leave', id: id }, here: true) }
        Chat.publish({ type: 'beat' }, here: true) # so that a page knows that it is still connected
      end
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def silent
      @heard.keys.select { |id| @heard[id] < now - (3 * BEAT) }
    end

    # The root answers: it hears everything and outlives its workers.
    def answer
      return unless Iodine.master?

      Chat.publish({ type: 'news', messages: @lines.values.flatten + @people.except(*silent).values })
    end

    # What is new here goes to this process's own pages, and by that to this memory.
    def hear(messages)
      messages.each { |message| heard_of?(message) || Chat.publish(message, here: true) }
    end

    def add_person(join)
      @people[join[:id]] = join
      @heard[join[:id]] = now
      @guests.delete(join[:id])&.call
    end

    def remove_person(id)
      @people.delete(id)
      @heard.delete(id)
    end

    def add_line(line)
      lines = @lines[line[:room]] ||= []
      @lines.shift if @lines.size > ROOMS
      return if heard_of?(line)

      lines.push(line).sort_by! { |one| one[:at] }
      lines.shift if lines.size > LINES
    end

    # Whoever is heard of again is still here.
    def heard_of?(message)
      id = message[:id]
      return @lines.fetch(message[:room], []).any? { |line| line[:id] == id } if message[:type] == 'line'

      @people.key?(id) && @heard[id] = now
    end
  end

  MEMORY = Memory.new

  class << self
    # The Rack application: everything but the page.
    def call(env)
      case [env['REQUEST_METHOD'], env['PATH_INFO']]
      in ['GET', '/live'] if env['rack.upgrade?']
        env['rack.upgrade'] = new(Rack::Utils.parse_query(env['QUERY_STRING']).transform_keys(&:to_sym))
        [200, {}, []]
      in ['POST', '/say'] # an event stream goes one way: its page says things by POST
        hear(env['rack.input'].read)
        [204, {}, []]
      else
        [404, { 'content-type' => 'text/plain' }, ["There is nothing here.\n"]]
      end
    rescue ArgumentError # a query that is no query
      [400, { 'content-type' => 'text/plain' }, ["What is this?\n"]]
    end

    # @param here [Boolean] tell this process alone
    def publish(message, here: false)
      channel = case message
                in { type: 'line', room: } then "chat:room:#{room}"
                in { type: 'ask' | 'news' } then 'chat:workers'
                else 'chat:people'
                end
      Iodine.publish(channel, JSON.generate(message), here ? Iodine::PubSub::PROCESS : nil)
    end

    # Somebody says something.
    # @param json [String] with id and text
    # @param who [Hash] what is known of who says it; else that is in the JSON too
    def hear(json, who = nil)
      words = JSON.parse(json, symbolize_names: true)
      return unless words.is_a?(Hash) && !(text = clean(words[:text], 2000)).empty?

      id = clean(words[:id] || SecureRandom.hex(8), 40)
      publish({ type: 'line', id: id, **(who || person(words)), text: text, at: (Time.now.to_f * 1000).to_i })
    rescue JSON::ParserError
      nil
    end

    def person(words)
      room = clean(words[:room], 30).downcase.gsub(/[^\p{L}\p{M}\p{N}]+/, '-')
      name = clean(words[:name], 24)
      { room: room.empty? ? 'lobby' : room, user: clean(words[:user], 40), name: name.empty? ? 'Nobody' : name }
    end

    private

    def clean(text, length)
      text.to_s.scrub.gsub(/[^[:print:]\n]/, '').strip[0, length]
    end
  end

  def initialize(query)
    @person = Chat.person(query)
    @join = { type: 'join', id: SecureRandom.hex(8), **@person }
  end

  def on_open(client)
    client.subscribe('chat:people')
    client.subscribe("chat:room:#{@person[:room]}")
    MEMORY.enter(@join) { client.write(JSON.generate(welcome)) }
  end

  def on_message(_client, data)
    Chat.hear(data, @person)
  end

  def on_close(_client)
    MEMORY.leave(@join)
  end

  # What was said and done before.
  def welcome
    { type: 'welcome', room: @person[:room], people: MEMORY.people, lines: MEMORY.lines(@person[:room]) }
  end

  # In the root and in every worker, those that come later too.
  Iodine.subscribe('chat:*', match: :redis) do |_channel, json|
    MEMORY.learn(JSON.parse(json, symbolize_names: true))
  end

  # In every process that serves.
  Iodine.on_state(:on_start) do
    publish({ type: 'ask' })
    Iodine.run_after(1000) { publish({ type: 'ask' }) } # a Redis may not have been there yet
    Iodine.run_every((BEAT * 1000).to_i) { MEMORY.beat }
  end
end
