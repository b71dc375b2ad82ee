# frozen_string_literal: true

RSpec.describe "require 'iodine'" do
  it 'loads nothing but its own files' do
    source = "before = $LOADED_FEATURES.dup; require 'iodine'; puts $LOADED_FEATURES - before"
    loaded = IO.popen([*ruby, '-e', source], &:read)
    expect(loaded.lines.grep_v(%r{/iodine(?:/|\.rb|_ext)})).to be_empty
    expect(loaded).to include('iodine/listen.rb')
  end

  it 'names its version' do
    expect(ruby_output('print Iodine::VERSION')).to match(/\A\d+\.\d+\.\d+/)
  end

  it 'makes iodine the default Rack handler, unless another one was chosen' do
    expect(ruby_output('print ENV["RACK_HANDLER"]')).to eq('iodine')
    expect(ruby_output('print ENV["RACK_HANDLER"]', env: { 'RACK_HANDLER' => 'puma' })).to eq('puma')
  end
end
