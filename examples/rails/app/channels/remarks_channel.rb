# frozen_string_literal: true

# Action Cable, as it is: what one page says all that are open show.
class RemarksChannel < ActionCable::Channel::Base
  def subscribed
    stream_from 'remarks'
  end

  def say(data)
    ActionCable.server.broadcast('remarks', { text: data['text'].to_s.first(200), worker: Process.pid })
  end
end
