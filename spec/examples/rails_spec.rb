# frozen_string_literal: true

require 'digest'

RSpec.describe 'examples/rails' do
  rails = File.join(ROOT, 'examples', 'rails')

  # In a folder of its own, so that nothing is left in the checkout and the first boot is really one.
  def storage
    { 'NOTEBOOK_STORAGE' => work_dir }
  end

  before(:context) { @chromium = chromium }

  shared_examples 'a notebook' do
    let(:client) { browser(@server) }

    def write(client, fields)
      fields = fields.transform_keys { |name| "note[#{name}]" }
      client.submit(client.visit('/notes/new'), '/notes', fields)
    end

    it 'makes a note by its form and shows it' do
      page = write(client, 'title' => 'Milk & <honey>', 'body' => "first line\nsecond line")
      expect(page).to include('<i>Saved.</i>').and include('<h1>Milk &amp; &lt;honey&gt;</h1>').and include('second line')
      expect(client.visit('/')).to include('Milk &amp; &lt;honey&gt;')
    end

    it 'shows the form again when the title is missing' do
      fields = { 'note[title]' => '', 'note[body]' => 'kept' }
      page = client.submit(client.visit('/notes/new'), '/notes', fields, '--no-fail-with-body')
      expect(page).to include('be blank').and include('kept')
    end

    it 'changes and deletes a note' do
      path = write(client, 'title' => 'First')[%r{href="(/notes/\d+)/edit"}, 1]
      page = client.submit(client.visit("#{path}/edit"), path, { '_method' => 'patch', 'note[title]' => 'Second' })
      expect(page).to include('<h1>Second</h1>')
      expect(client.submit(page, path, { '_method' => 'delete' })).to include('Gone.')
      expect(client.status(path)).to eq(404)
    end

    it 'keeps an uploaded file of 3 MB byte for byte' do
      bytes = Random.new(7).bytes(3_000_000)
      file = write_file(work_dir, 'picture.bin', bytes)
      page = write(client, 'title' => 'With a file', 'attachment' => "@#{file};type=application/octet-stream")
      link = CGI.unescapeHTML(page[/href="([^"]*active_storage[^"]*)"/, 1])
      expect(Digest::SHA256.hexdigest(client.visit(link).b)).to eq(Digest::SHA256.hexdigest(bytes))
    end

    it 'counts in the session what was read' do
      path = write(client, 'title' => 'Read me')[%r{href="(/notes/\d+)/edit"}, 1]
      2.times { client.visit(path) }
      expect(client.visit('/')).to include('read in this session: <span id="read">3<')
      expect(browser(@server).visit('/')).to include('read in this session: <span id="read">0<')
    end

    it 'streams all notes as one download' do
      5.times { |n| write(client, 'title' => "Streamed #{n}", 'body' => 'x' * 1000) }
      expect(client.visit('/notes/export').scan(/^\d+\. Streamed \d\nx{1000}\n/).size).to eq(5)
      expect(dial.get('/notes/export')).to be_chunked
    end

    it 'tells pages that are open of new notes, by a WebSocket that knows the session' do
      path = write(client, 'title' => 'Old')[%r{href="(/notes/\d+)/edit"}, 1]
      page = person(@chromium)
      page.go_to("http://127.0.0.1:#{@server.port}#{path}")
      page.go_to("http://127.0.0.1:#{@server.port}/")
      page.execute('document.getElementById("read").textContent = ""')
      page.refresh
      eventually { page.evaluate('document.getElementById("read").textContent') == '1' }
      write(client, 'title' => 'New & <i>fine</i>')
      eventually { page.at_css('#notes a').text == 'New & <i>fine</i>' }
    end

    it 'answers /live as Rails does where no WebSocket is asked for, and no other site\'s page' do
      expect(client.status('/live')).to eq(404)
      shake = { 'connection' => 'Upgrade', 'upgrade' => 'websocket',
                'sec-websocket-version' => '13', 'sec-websocket-key' => 'AQIDBAUGBwgJCgsMDQ4PEA==' }
      expect(dial.get('/live', shake.merge('origin' => 'http://evil.example')).status).to eq(403)
      expect(dial.get('/live', shake.merge('origin' => 'http://localhost')).status).to eq(101)
    end

    it 'answers HEAD, a missing page and a forged form as Rails does' do
      expect(client.status('/', '--head')).to eq(200)
      expect(client.status('/nothing-here')).to eq(404)
      expect(client.status('/notes', '--form', 'note[title]=forged')).to eq(422)
    end
  end

  context 'with one process, in development' do
    before(:context) do
      env = storage.merge('RACK_ENV' => nil)
      @server = boot_cli('-w', '1', '-t', '4', File.join(rails, 'config.ru'), env: env, timeout: 60)
    end

    it_behaves_like 'a notebook'
  end

  context 'with two workers, in production' do
    before(:context) do
      @server = boot_cli('-w', '2', '-t', '4', '-e', 'production', File.join(rails, 'config.ru'), env: storage, timeout: 60)
    end

    it_behaves_like 'a notebook'

    # @return [Array<Array(String, String)>] texts and the worker that each came through
    def remarks(page)
      page.evaluate('[...document.querySelectorAll("#remarks li")].map((item) => [item.textContent, item.dataset.worker])')
    end

    def wait_until_connected(page)
      eventually(within: 40) { page.evaluate('document.getElementById("state").textContent') == 'connected' }
    end

    def say(page, text)
      page.at_css('#say input').focus.type(text, :Enter)
    end

    it 'has Action Cable across its workers, which connects again when these are replaced' do
      pages = Array.new(4) { person(@chromium).tap { |page| page.go_to("http://127.0.0.1:#{@server.port}/remarks") } }
      pages.each { |page| wait_until_connected(page) }
      pages.each_with_index { |page, number| say(page, "first #{number}") }
      eventually { pages.all? { |page| remarks(page).map(&:first).sort == (0..3).map { |number| "first #{number}" } } }

      pages.each { |page| page.execute(<<~JAVASCRIPT) }
        window.states = []
        new MutationObserver(() => states.push(state.textContent)).observe(state, { childList: true })
      JAVASCRIPT
      old = @server.children
      @server.kill(:USR1)
      pages.each { |page| eventually(within: 60) { page.evaluate('states').first(2) == %w[away connected] } }
      eventually(within: 60) { @server.children.size == 2 && !@server.children.intersect?(old) }
      pages.each { |page| wait_until_connected(page) }
      say(pages.first, 'second')
      eventually(within: 20) { pages.all? { |page| remarks(page).last.first == 'second' } }
      expect(@server.children).to include(remarks(pages.first).last.last.to_i)
      expect(@server.stderr).not_to match(/ERROR|FATAL/)
    end
  end

  it 'runs by rails server -u iodine' do
    port = Support::Server.free_port
    command = [*ruby, File.join(rails, 'bin', 'rails'), 'server', '-u', 'iodine', '-b', '127.0.0.1', '-p', port.to_s]
    pid_file = ['-P', File.join(work_dir, 'server.pid')]
    env = storage.merge('RACK_ENV' => nil)
    server = launch([*command, *pid_file], port: port, env: env, dir: rails, timeout: 60)
    expect(browser(server).visit('/')).to include('Notebook')
    server.kill(:INT)
    expect(server.wait(timeout: 10)).to be_exited
  end
end
