# frozen_string_literal: true

class Note < ApplicationRecord
  has_one_attached :attachment

  validates :title, presence: true, length: { maximum: 100 }
end
