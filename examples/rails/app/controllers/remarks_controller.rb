# frozen_string_literal: true

# The page of RemarksChannel.
class RemarksController < ApplicationController
  def show; end
end
