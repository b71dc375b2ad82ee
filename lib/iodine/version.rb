# frozen_string_literal: true

module Iodine
  VERSION = '0.9.0'
end
