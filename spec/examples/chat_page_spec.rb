# frozen_string_literal: true

require 'json'

# The page of the chat, in Chromium.
RSpec.describe 'The page of examples/chat' do
  chat = File.join(ROOT, 'examples', 'chat', 'config.ru')

  before(:context) { @chromium = chromium }

  define_method(:boot_chat) do |*arguments, **options|
    boot_cli(*arguments, '-w', '2', '-t', '2', chat, **options)
  end

  # Opens the page and gives a name.
  def come(name, room: 'lobby', query: '', server: @server, state: 'live', **screen)
    page = person(@chromium, **screen)
    page.go_to("http://127.0.0.1:#{server.port}/#{query}##{room}")
    page.at_css('#hello input').focus.type(name, :Enter)
    wait_for_state(page, state)
    page
  end

  def wait_for_state(page, state, within: 20)
    eventually(within: within) { page.evaluate('document.getElementById("state").dataset.state') == state }
  end

  def transport(page)
    page.evaluate('document.getElementById("state").dataset.transport')
  end

  def say(page, text)
    page.at_css('#say textarea').focus.type(text, :Enter)
  end

  def texts(page, selector)
    page.evaluate('[...document.querySelectorAll(arguments[0])].map((found) => found.textContent)', selector)
  end

  def wait_for_texts(page, selector, *texts)
    eventually(within: 20) { texts(page, selector) == texts }
  end

  def wait_for_text(page, selector, text, within: 20)
    eventually(within: within) { texts(page, selector).include?(text) }
  end

  # Stops the server, boots another one on its port.
  def restart
    @server.kill
    @server.wait
    yield if block_given?
    boot_chat('-p', @server.port.to_s)
  end

  context 'with two workers' do
    before(:context) { @server = boot_chat }

    it 'lets two browsers talk' do
      ann = come('Ann', room: 'two')
      bob = come('Bob', room: 'two')
      wait_for_text(ann, '.notice', 'Bob is here.')
      say(ann, 'Hello, Bob')
      wait_for_text(bob, '.line p', 'Hello, Bob')
      say(bob, 'Hello, Ann')
      wait_for_text(ann, '.line p', 'Hello, Ann')
      [ann, bob].each { |page| expect(texts(page, '.line p')).to eq(['Hello, Bob', 'Hello, Ann']) }
      expect(texts(ann, '.mine p')).to eq(['Hello, Bob'])
      expect(texts(bob, '.line:not(.mine) .by bdi')).to eq(['Ann'])
      wait_for_texts(ann, '#people bdi', 'Ann', 'Bob')
      wait_for_texts(ann, '#count', '2 are here')
      eventually { ann.css('.pending').empty? }
    end

    it 'tells who leaves' do
      ann = come('Ann', room: 'leaving')
      bob = come('Bob', room: 'leaving')
      wait_for_text(ann, '.notice', 'Bob is here.')
      bob.go_to('about:blank')
      wait_for_text(ann, '.notice', 'Bob has left.')
      wait_for_texts(ann, '#count', 'Only you are here')
    end

    it 'does not speak of who only reloads, and shows them what was said' do
      ann = come('Ann', room: 'reload')
      bob = come('Bob', room: 'reload')
      say(bob, 'one')
      wait_for_text(ann, '.line p', 'one')
      bob.refresh
      wait_for_state(bob, 'live')
      expect(bob.evaluate('document.getElementById("hello").open')).to be(false)
      wait_for_text(bob, '.mine p', 'one')
      say(bob, 'two')
      wait_for_text(ann, '.line p', 'two')
      expect(texts(ann, '.notice')).to eq(['Bob is here.'])
    end

    it 'has rooms' do
      ann = come('Ann', room: 'tea')
      bob = come('Bob', room: 'ruby')
      say(ann, 'only for tea')
      wait_for_text(ann, '.line:not(.pending) p', 'only for tea')
      wait_for_text(bob, '#rooms a', 'tea1')
      bob.at_css('#new-room input').focus.type('Büro & Co', :Enter)
      wait_for_text(bob, 'h1', 'büro-co')
      wait_for_state(bob, 'live')
      wait_for_text(ann, '#rooms a', 'büro-co1')
      expect(texts(bob, '.line p')).to eq([])
      bob.at_xpath('//a[bdi = "tea"]').click
      wait_for_text(bob, '.line p', 'only for tea')
      wait_for_texts(bob, '#rooms a[aria-current]', 'tea2')
    end

    it 'lets people change their name' do
      ann = come('Ann', room: 'names')
      bob = come('Bob', room: 'names')
      wait_for_text(ann, '.notice', 'Bob is here.')
      bob.at_css('#me').click
      bob.at_css('#hello input').type('Bea', :Enter)
      wait_for_text(ann, '.notice', 'Bob is now called Bea.')
      wait_for_texts(ann, '#people bdi', 'Ann', 'Bea')
    end

    it 'shows HTML as the text that it is' do
      name = '<script>pwned()</script>' # as long as a name can be
      line = '<img src=x onerror="pwned()"><b>bold</b>'
      ann = come('Ann', room: 'html')
      eve = come(name, room: 'html')
      say(eve, line)
      wait_for_text(ann, '.line p', line)
      eve.evaluate("link.transport.say({ id: '\"><script>pwned()</script>', text: 'by hand' })")
      wait_for_text(ann, '.line p', 'by hand')
      eve.go_to("http://127.0.0.1:#{@server.port}/#<img src=x onerror=pwned()>")
      ann.refresh
      wait_for_text(ann, '.line p', line)
      [ann, eve].each do |page|
        expect(page.css('script').size).to eq(1)
        expect(page.css('#lines img, #lines b, #people script, #rooms img')).to be_empty
      end
      expect(texts(ann, '.by bdi')).to include(name)
    end

    it 'negotiates permessage-deflate and goes by it' do
      page = person(@chromium)
      shaken = Queue.new
      page.on('Network.webSocketHandshakeResponseReceived') { |params| shaken << params['response'] }
      page.go_to("http://127.0.0.1:#{@server.port}/#zip")
      page.at_css('#hello input').focus.type('Ann', :Enter)
      wait_for_state(page, 'live')
      headers = shaken.pop(true)['headers'].transform_keys(&:downcase)
      expect(headers['sec-websocket-extensions']).to start_with('permessage-deflate')
      page.evaluate("link.transport.say({ text: 'well compressed '.repeat(100) })")
      wait_for_text(page, '.mine p', ('well compressed ' * 100).strip)
    end

    it 'shows lines that came while it was scrolled up, when asked' do
      ann = come('Ann', room: 'scroll')
      bob = come('Bob', room: 'scroll')
      40.times { |n| bob.evaluate("link.transport.say({ text: 'line #{n}' })") }
      wait_for_text(ann, '.line p', 'line 39')
      ann.evaluate('document.getElementById("scroll").scrollTop = 0')
      say(bob, 'news')
      wait_for_text(ann, '.line p', 'news')
      expect(ann.evaluate('document.getElementById("scroll").scrollTop')).to eq(0)
      ann.at_css('#newer').click
      eventually { ann.evaluate('document.getElementById("newer").hidden') }
      expect(ann.evaluate('(s => s.scrollHeight - s.scrollTop - s.clientHeight)(document.getElementById("scroll"))')).to be < 2
    end
  end

  %w[light dark].each do |scheme|
    it "fits on a phone (#{scheme})" do
      @server = boot_chat
      page = come('A name of 24 letters ...', screen: Support::Chromium::PHONE, scheme: scheme, room: 'a-room-with-rather-a-long-name')
      page.evaluate("link.transport.say({ text: 'x'.repeat(300) })")
      wait_for_text(page, '.mine p', 'x' * 300)
      inside = 'document.documentElement.scrollWidth <= innerWidth && document.querySelector("main").scrollWidth <= innerWidth'
      expect(page.evaluate(inside)).to be(true)
      box = page.evaluate('document.getElementById("say").getBoundingClientRect().toJSON()')
      expect([box['left'] >= 0, box['right'] <= 375, box['bottom'] <= 667]).to eq([true] * 3)
      # iOS zooms into fields of smaller text.
      expect(page.evaluate('parseFloat(getComputedStyle(document.querySelector("textarea")).fontSize)')).to be >= 16
      page.at_css('#menu').click
      eventually { page.evaluate('document.getElementById("side").getBoundingClientRect().left') == 0 }
      page.at_xpath('//a[bdi = "tea"]').click
      wait_for_text(page, 'h1', 'tea')
      eventually { page.evaluate('getComputedStyle(document.getElementById("side")).visibility') == 'hidden' }
    end
  end

  it 'comes back by itself when the server does, and loses and doubles nothing' do
    @server = boot_chat
    ann = come('Ann')
    bob = come('Bob')
    say(ann, 'before')
    wait_for_text(bob, '.line p', 'before')
    restart do
      [ann, bob].each { |page| wait_for_state(page, 'waiting') }
      say(ann, 'meanwhile')
      wait_for_text(ann, '.pending p', 'meanwhile')
    end
    [ann, bob].each { |page| wait_for_state(page, 'live', within: 40) }
    wait_for_text(bob, '.line p', 'meanwhile')
    say(bob, 'after')
    wait_for_text(ann, '.line p', 'after')
    [ann, bob].each { |page| expect(texts(page, '.line:not(.pending) p')).to eq(%w[before meanwhile after]) }
    expect([ann, bob].map { |page| transport(page) }).to eq(%w[websocket websocket])
  end

  it 'goes on while the workers are replaced' do
    @server = boot_chat('--shutdown-timeout', '4') # Chromium keeps connections
    ann = come('Ann')
    bob = come('Bob')
    say(ann, 'before')
    wait_for_text(bob, '.line p', 'before')
    old = @server.children
    @server.kill(:USR1)
    eventually(within: 40) { @server.children.size == 2 && !@server.children.intersect?(old) }
    say(ann, 'after')
    wait_for_text(bob, '.line p', 'after')
    [ann, bob].each { |page| wait_for_state(page, 'live') }
    say(bob, 'now')
    wait_for_text(ann, '.line p', 'now')
    [ann, bob].each { |page| expect(texts(page, '.line:not(.pending) p')).to eq(%w[before after now]) }
    expect(texts(ann, '.notice')).to eq(['Bob is here.'])
  end

  it 'comes back when the network does' do
    @server = boot_chat
    ann = come('Ann')
    ann.network.emulate_network_conditions(offline: true)
    ann.evaluate('link.transport.close()') # as it is when a phone changes networks: nobody says goodbye
    ann.evaluate('link.lost()')
    wait_for_state(ann, 'waiting')
    bob = come('Bob')
    say(bob, 'Where are you?')
    ann.network.emulate_network_conditions(offline: false)
    wait_for_state(ann, 'live', within: 40)
    wait_for_text(ann, '.line p', 'Where are you?')
  end

  # With the configuration of docs/realtime.md.
  it 'goes through nginx, by a WebSocket or an event stream' do
    documented = File.read(File.join(ROOT, 'docs', 'realtime.md'))[/^```nginx\n(.*?)^```$/m, 1]
    @server = boot_chat('--trusted-proxy', '127.0.0.1')
    proxy = boot_nginx(documented[%r{^  location / \{.*?^  \}}m],
                       upstreams: documented[/\A.*?(?=^server)/m].sub('127.0.0.1:3000', "127.0.0.1:#{@server.port}"))
    ann = come('Ann', server: proxy)
    bob = come('Bob', server: proxy, query: '?transport=stream')
    expect([ann, bob].map { |page| transport(page) }).to eq(%w[websocket stream])
    say(ann, 'by WebSocket')
    wait_for_text(bob, '.line p', 'by WebSocket')
    say(bob, 'by POST')
    wait_for_text(ann, '.line p', 'by POST')
  end

  context 'where WebSockets do not get through' do
    # As many proxies do: what asks for an upgrade comes out without it.
    def boot_proxy(backend)
      boot_nginx(<<~CONF)
        location / {
          proxy_pass http://127.0.0.1:#{backend.port};
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Upgrade "";
        }
      CONF
    end

    it 'goes by an event stream, and by posts' do
      @server = boot_chat
      proxy = boot_proxy(@server)
      ann = come('Ann', server: proxy)
      bob = come('Bob')
      expect([ann, bob].map { |page| transport(page) }).to eq(%w[stream websocket])
      say(ann, 'by POST')
      wait_for_text(bob, '.line p', 'by POST')
      say(bob, 'by WebSocket')
      wait_for_text(ann, '.line p', 'by WebSocket')
      restart { wait_for_state(ann, 'waiting') } # nginx answers 502 meanwhile
      wait_for_state(ann, 'live', within: 40)
      say(ann, 'again')
      wait_for_text(bob, '.line p', 'again', within: 40)
      expect(transport(ann)).to eq('stream')
    end

    it 'leaves it to EventSource to come back' do
      @server = boot_chat
      ann = come('Ann', query: '?transport=stream')
      expect(transport(ann)).to eq('stream')
      ann.evaluate('window.before = link.current')
      @server.children.each { |pid| Process.kill(:KILL, pid) }
      wait_for_state(ann, 'waiting')
      say(ann, 'meanwhile')
      wait_for_state(ann, 'live', within: 40)
      expect(ann.evaluate('window.before === link.current')).to be(true)
      wait_for_text(ann, '.mine:not(.pending) p', 'meanwhile')
      expect(texts(ann, '.line p')).to eq(['meanwhile'])
    end

    it 'comes back as an event stream when the server was away for longer' do
      @server = boot_chat
      ann = come('Ann', query: '?transport=stream')
      restart { eventually(within: 20) { ann.evaluate('link.failures') > 1 } }
      wait_for_state(ann, 'live', within: 40)
      expect(transport(ann)).to eq('stream')
    end
  end
end
