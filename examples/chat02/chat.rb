# frozen_string_literal: true

# One connection. The callbacks have no client: the object itself can write, close, each, count, defer …
class Chat
  def initialize(env)
    name = Rack::Utils.unescape(env['PATH_INFO'].delete_prefix('/')).scrub.gsub(/[^[:print:]]/, '').strip[0, 24]
    @name = name.empty? ? 'Nobody' : name
  end

  def on_open
    write "Welcome, #{@name}. #{count} here."
    others "#{@name} is here."
  end

  def on_message(data)
    return close if data == '/quit'

    write "you: #{data}"
    others "#{@name}: #{data}"
  end

  def on_close
    others "#{@name} has left. #{count} here."
  end

  def on_shutdown
    write 'The server stops.'
  end

  private

  # All but this one.
  def others(line)
    each { |other| other.write line }
  end
end
