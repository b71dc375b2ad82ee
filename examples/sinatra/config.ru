# frozen_string_literal: true

# Sinatra: pages, a form, a session, JSON, a streamed answer. bin/iodine examples/sinatra/config.ru
require_relative 'guestbook'

run Guestbook
