# frozen_string_literal: true

require 'json'
require 'securerandom'
require 'sinatra/base'

# A guest book that is kept in memory: each worker process has its own, so run it with -w 1.
class Guestbook < Sinatra::Base
  # The latest entries, for many threads.
  class Book
    KEPT = 50

    def initialize
      @entries = []
      @mutex = Mutex.new
    end

    def add(name, text)
      @mutex.synchronize { @entries = [*@entries, { name: name, text: text }].last(KEPT) }
    end

    def entries
      @mutex.synchronize { @entries }
    end
  end

  BOOK = Book.new

  set :environment, ENV.fetch('RACK_ENV', 'development').to_sym
  set :host_authorization, permitted_hosts: [] # any name: it is an example
  set :session_secret, ENV.fetch('SESSION_SECRET') { SecureRandom.hex(64) }
  enable :sessions, :inline_templates

  helpers { def h(text) = Rack::Utils.escape_html(text.to_s) }

  get '/' do
    @entries = BOOK.entries
    erb :index
  end

  post '/entries' do
    text = params['text'].to_s.strip
    halt 422, 'Write something first.' if text.empty?

    session['name'] = params['name'].to_s.strip[0, 40]
    BOOK.add(session['name'], text[0, 500])
    redirect to('/'), 303
  end

  get '/entries.json' do
    content_type :json
    JSON.generate(BOOK.entries)
  end

  # Sent as it is made
  get '/countdown' do
    content_type 'text/plain'
    stream { |out| 5.downto(1) { |left| out << "#{left}\n" } }
  end
end

__END__

@@ index
<!doctype html>
<title>Guest book</title>
<h1>Guest book</h1>
<form method="post" action="/entries">
  <input name="name" placeholder="Name" value="<%= h session['name'] %>">
  <input name="text" placeholder="Text" required>
  <button>Sign</button>
</form>
<ul>
  <% @entries.each do |entry| %>
    <li><b><%= h entry[:name] %></b>: <%= h entry[:text] %></li>
  <% end %>
</ul>
