# frozen_string_literal: true

require 'rbconfig'
require 'tmpdir'

ROOT = File.expand_path('..', __dir__)
$LOAD_PATH.unshift(*[ENV.fetch('IODINE_SPEC_LIB', nil), File.join(ROOT, 'lib')].compact)

Dir[File.join(__dir__, 'support', '*.rb')].each { |file| require file }

RSpec.configure do |config|
  config.include Support::Helpers
  config.after { clean_up }
  config.disable_monkey_patching!
  config.expect_with(:rspec) { |expect| expect.max_formatted_output_length = 2000 }
  config.mock_with(:rspec) { |mocks| mocks.verify_partial_doubles = true }
  config.example_status_persistence_file_path = File.join(ROOT, 'tmp', 'spec-status.txt')
  config.order = :defined
end
