# frozen_string_literal: true

require 'cgi'

module Support
  # curl with a cookie jar: what the specs of the example applications browse with.
  class Browser
    # @param origin [String] "http://127.0.0.1:3000"
    # @param jar [String] a file for the cookies
    # @param curl [#call] runs curl with arguments, returns its output
    def initialize(origin, jar, curl)
      @origin = origin
      @jar = jar
      @curl = curl
    end

    # @return [String] the page, as text; redirects are followed
    def visit(path, *options)
      @curl.call('--location', '--fail-with-body', '--cookie', @jar, '--cookie-jar', @jar, *options, @origin + path)
           .force_encoding(Encoding::UTF_8)
    end

    # Posts a form as a browser does: with a token if the page has one.
    # @param fields [Hash] name => value; a value "@path" uploads a file
    def submit(page, path, fields, *options)
      token = page[/name="authenticity_token"[^>]* value="([^"]*)"/, 1]
      fields = { 'authenticity_token' => CGI.unescapeHTML(token) }.merge(fields) if token
      visit(path, *fields.flat_map { |name, value| ['--form', "#{name}=#{value}"] }, *options)
    end

    # The status of an answer, redirects not followed.
    def status(path, *options)
      @curl.call('--output', File::NULL, '--write-out', '%{http_code}', *options, @origin + path).to_i
    end
  end
end
