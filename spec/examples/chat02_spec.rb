# frozen_string_literal: true

RSpec.describe 'examples/chat02' do
  folder = File.join(ROOT, 'examples', 'chat02')

  before(:context) { @chromium = chromium }
  before { @server = boot_cli('-w', '1', '-t', '2', '-www', '.', dir: folder) }

  def come(name)
    page = person(@chromium)
    page.go_to("http://127.0.0.1:#{@server.port}/")
    page.at_css('#enter input').focus.type(name, :Enter)
    wait_for_line(page, /\AWelcome, #{Regexp.escape(name)}\. /)
    page
  end

  def lines(page)
    page.evaluate('[...document.querySelectorAll("#lines p")].map((line) => line.textContent).reverse()')
  end

  def wait_for_line(page, line)
    eventually(within: 20) { lines(page).find { |one| line === one } } # rubocop:disable Style/CaseEquality
  end

  def say(page, text)
    page.at_css('#say input').focus.type(text, :Enter)
  end

  it 'tells all others what one says, and oneself another thing' do
    ann = come('Ann')
    bob = come('Bob Ä')
    say(bob, '<b>hello</b>')
    wait_for_line(ann, 'Bob Ä: <b>hello</b>')
    wait_for_line(bob, 'you: <b>hello</b>')
    expect(lines(ann)).to eq(['Welcome, Ann. 1 here.', 'Bob Ä is here.', 'Bob Ä: <b>hello</b>'])
    expect(lines(bob)).to eq(['Welcome, Bob Ä. 2 here.', 'you: <b>hello</b>'])
  end

  it 'counts who is here, without the one that closes' do
    ann = come('Ann')
    bob = come('Bob')
    say(bob, '/quit')
    wait_for_line(bob, 'Not connected.')
    wait_for_line(ann, 'Bob has left. 1 here.')
  end

  it 'tells everybody that the server stops' do
    ann = come('Ann')
    @server.kill
    wait_for_line(ann, 'The server stops.')
    wait_for_line(ann, 'Not connected.')
  end

  it 'answers what is neither a file nor a WebSocket' do
    expect(dial.get('/nothing').status).to eq(404)
    expect(dial.get('/').body).to include('<title>Chat')
  end
end
