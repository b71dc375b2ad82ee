# frozen_string_literal: true

require 'json'

RSpec.describe 'examples/sinatra' do
  before(:context) do
    @server = boot_cli('-w', '1', '-t', '4', File.join(ROOT, 'examples', 'sinatra', 'config.ru'))
  end

  let(:client) { browser(@server) }

  it 'takes an entry by its form and shows it, with the name kept in the session' do
    page = client.submit(client.visit('/'), '/entries', { 'name' => 'Ann', 'text' => 'a < b & "c"' })
    expect(page).to include('<b>Ann</b>: a &lt; b &amp; &quot;c&quot;').and include('value="Ann"')
    expect(JSON.parse(client.visit('/entries.json'))).to include({ 'name' => 'Ann', 'text' => 'a < b & "c"' })
  end

  it 'refuses an empty one' do
    expect(client.status('/entries', '--data', 'text=')).to eq(422)
  end

  it 'streams' do
    expect(client.visit('/countdown')).to eq("5\n4\n3\n2\n1\n")
    expect(dial.get('/countdown')).to be_chunked
  end
end
