# frozen_string_literal: true

# The chat in a terminal: a WebSocket client that comes back by itself. While bin/iodine serves examples/chat:
# bundle exec ruby examples/client/client.rb Ann lobby http://localhost:3000
require 'iodine'
require 'json'
require 'uri'

# Prints what it hears, says what is typed.
class Terminal
  LONGEST_WAIT = 30 # seconds

  def initialize(name, room, server)
    @url = "#{server}/live?#{URI.encode_www_form(name: name, room: room, user: "terminal-#{rand(1 << 64).to_s(16)}")}"
    @wait = 1
    @shown = []
  end

  def connect
    Iodine.connect(url: @url, handler: self)
  end

  def say(text)
    @client&.write(JSON.generate(text: text)) or print_line('not connected: try again')
  end

  def on_open(client)
    @client = client
    @wait = 1
    print_line('connected')
  end

  def on_message(_client, data)
    case JSON.parse(data, symbolize_names: true)
    in { type: 'welcome', lines: } then lines.each { |line| show(**line) }
    in { type: 'line' } => line then show(**line)
    in { type: 'join', name:, room: } then print_line("#{name} is in #{room}")
    else nil
    end
  end

  # Also when it could not connect at all.
  def on_close(_client)
    @client = nil
    print_line("not connected: trying again in #{@wait} s")
    Iodine.run_after(@wait * 1000) { connect }
    @wait = [@wait * 2, LONGEST_WAIT].min
  end

  private

  # The last lines are told again to who comes back.
  def show(id:, name:, text:, **)
    return if @shown.include?(id)

    @shown = [*@shown, id].last(100)
    print_line(text, "#{name}:")
  end

  # A terminal obeys control characters, whoever sent them.
  def print_line(text, from = '*')
    $stdout.write("#{from} #{text}".gsub(/[^[:print:]]/, ' ') << "\n")
  end
end

$stdout.sync = true
name, room, server = ARGV
terminal = Terminal.new(name || 'Terminal', room || 'lobby', server || 'http://localhost:3000')

Iodine.threads = Iodine.workers = 1
Iodine.on_state(:on_start) do
  terminal.connect
  Thread.new do
    $stdin.each_line(chomp: true) { |line| terminal.say(line) }
    Iodine.stop
  end
end
Iodine.start
