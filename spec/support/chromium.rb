# frozen_string_literal: true

require 'ferrum'

module Support
  # A real Chromium, driven by ferrum, for the specs of pages. `chromium` starts one, for an example or, in
  # before(:context), for its group; each person has pages and storage of their own.
  #
  #   before(:context) { @chromium = chromium }
  #   ann = person(@chromium)
  #   ann.go_to("http://127.0.0.1:#{@server.port}/")
  module Chromium
    PHONE = { width: 375, height: 667, deviceScaleFactor: 2, mobile: true }.freeze
    DESK = { width: 1100, height: 760, deviceScaleFactor: 1, mobile: false }.freeze
    # Root has no sandbox, a container little shared memory.
    OPTIONS = { 'no-sandbox' => nil, 'disable-gpu' => nil, 'disable-dev-shm-usage' => nil }.freeze

    # @param options [Hash] more of Chromium's options
    # @return [Ferrum::Browser]
    def chromium(options = {})
      timeout = 20 * Deadline::SLOWER
      browser = Ferrum::Browser.new(headless: true, browser_path: Chromium.program, process_timeout: timeout,
                                    timeout: timeout, browser_options: OPTIONS.merge(options))
      cleanups << -> { browser.quit }
      browser
    end

    # @return [Ferrum::Page] with cookies and storage of its own
    def person(browser, screen: DESK, scheme: 'light')
      context = browser.contexts.create
      context.create_page.tap do |page|
        cleanups << -> { browser.contexts.dispose(context.id) } if RSpec.current_example
        page.command('Emulation.setDeviceMetricsOverride', **screen)
        page.command('Emulation.setEmulatedMedia', features: [{ name: 'prefers-color-scheme', value: scheme }])
      end
    end

    def self.program
      %w[chromium chromium-browser google-chrome].filter_map do |name|
        ENV.fetch('PATH').split(':').map { |folder| File.join(folder, name) }.find { |path| File.executable?(path) }
      end.first or raise 'Chromium is missing: bin/test installs it'
    end
  end
end

RSpec.configure { |config| config.include Support::Chromium }
