# frozen_string_literal: true

RSpec.describe 'examples/login' do
  before(:context) do
    @server = boot_cli('-w', '1', '-t', '2', File.join(ROOT, 'examples', 'login', 'login.rb'), env: { 'LOGIN_SECONDS' => '1' })
  end

  # Reads until the text has come.
  def hear(client, text)
    heard = client.read(1)
    heard << client.read(1) until heard.end_with?(text)
    heard
  end

  def log_in(name = 'Ann', password = 'tea')
    client = dial(timeout: 20)
    hear(client, 'Name: ')
    client.write("#{name}\r\n")
    hear(client, 'Password: ')
    client.write("#{password}\r\n")
  end

  it 'lets in who has a password' do
    client = log_in
    expect(hear(client, '> ')).to eq("Welcome, Ann. Try: time, quit\r\n> ")
    client.write("ti\r\n").write('ti')
    expect(hear(client, '> ')).to eq("What is \"ti\"?\r\n> ")
    client.write("me\n")
    expect(hear(client, '> ')).to match(/\A\d{4}-\d\d-\d\d .*\r\n> \z/)
    expect(client.write("quit\r\n").rest).to eq("Goodbye.\r\n")
  end

  it 'takes all of it in one piece' do
    client = dial(timeout: 20)
    expect(client.write("Bob\ncoffee\nx\nquit\nmore\n").rest).to eq(
      "Name: Password: Welcome, Bob. Try: time, quit\r\n> What is \"x\"?\r\n> Goodbye.\r\n"
    )
  end

  it 'hangs up after three wrong ones' do
    client = log_in('Ann', 'coffee')
    hear(client, 'Name: ')
    client.write("Eve\n\nEve\n\nAnn\ntea\n")
    expect(client.rest).to eq("Password: No.\r\nName: Password: No.\r\n")
  end

  it 'hangs up on who says nothing, and asks first who is logged in' do
    expect(dial(timeout: 20).rest).to eq("Name: \r\nToo slow.\r\n")
    client = log_in
    hear(client, '> ')
    hear(client, 'Are you still there? ')
    client.write("yes\n")
    hear(client, '> ')
    expect(client.rest).to eq("\r\nAre you still there? \r\nBye, then.\r\n")
  end

  it 'hangs up on a line without end' do
    expect(dial.try_write('x' * 5000).rest).to eq('Name: ')
  end

  it 'says goodbye when the server stops' do
    server = boot_cli('-w', '1', File.join(ROOT, 'examples', 'login', 'login.rb'))
    client = dial(server)
    hear(client, 'Name: ')
    client.write("Ann\ntea\n")
    hear(client, '> ')
    server.kill
    expect(client.rest).to eq("\r\nThe server stops. Goodbye, Ann.\r\n")
  end
end
