# frozen_string_literal: true

class Note < ApplicationRecord
  has_one_attached :attachment

  validates :title, presence: true, length: { maximum: 100 }

  # To whoever has the list open, in whatever process: lib/live.rb
  after_create_commit { Iodine.publish('notes', { id: id, title: title }.to_json) }
end
