# frozen_string_literal: true

require 'rack/utils'
require 'rack/query_parser'

module Iodine
  # {Iodine.patch_rack}: decoding in C, with the results of Rack's own method, which is left what it has an error for.
  # @api private
  module UrlDecoding
    # @return [String] a new one
    # @raise [ArgumentError] as Rack's
    def unescape(text, encoding = Encoding::UTF_8)
      return super unless text.is_a?(String) && text.encoding.ascii_compatible? && text.valid_encoding?

      Server.url_decode(text, encoding) || super
    end
  end
  private_constant :UrlDecoding
end
