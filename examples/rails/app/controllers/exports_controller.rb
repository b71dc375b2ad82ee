# frozen_string_literal: true

# All notes as one text file, sent while it is read from the database.
class ExportsController < ApplicationController
  include ActionController::Live

  def show
    response.headers['Last-Modified'] = Time.now.httpdate # else Rack 2 gathers the whole body to make an ETag
    send_stream(filename: 'notes.txt', type: 'text/plain') do |stream|
      Note.find_each(batch_size: 100) { |note| stream.write("#{note.id}. #{note.title}\n#{note.body}\n\n") }
    end
  end
end
