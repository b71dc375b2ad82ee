# frozen_string_literal: true

RSpec.describe 'examples/hello' do
  it 'says hello' do
    server = boot_cli('-w', '1', '-t', '2', File.join(ROOT, 'examples', 'hello', 'config.ru'))
    expect(browser(server).visit('/')).to eq("Hello from iodine\n")
  end
end
