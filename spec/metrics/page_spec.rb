# frozen_string_literal: true

# The live page of --metrics, in a real browser.
RSpec.describe 'The page of the metrics' do
  before(:context) do
    @metrics = Support::Server.free_port
    app = "run ->(env) { [env['PATH_INFO'] == '/bad' ? 500 : 200, { 'content-type' => 'text/plain' }, ['hello']] }"
    @server = boot(app, '-w', '2', '-t', '2', '--metrics', @metrics.to_s)
    @chromium = chromium
  end

  def open_page(**options)
    person(@chromium, **options).tap do |page|
      problems = @problems = []
      page.command('Log.enable')
      page.on('Log.entryAdded') { |params| problems << params['entry']['text'] }
      page.on('Runtime.exceptionThrown') { |params| problems << params.dig('exceptionDetails', 'text') }
      page.go_to("http://127.0.0.1:#{@metrics}/")
      eventually(within: 20) { page.evaluate('document.body.dataset.state') == 'live' }
    end
  end

  def value(page, card)
    page.evaluate("document.querySelector('##{card} .value').textContent")
  end

  # A request now and then, until the block gives something true.
  def under_load(&block)
    stop = false
    load = Thread.new { sleep(0.02) && @server.get('/') until stop }
    eventually(within: 30, &block)
  ensure
    stop = true
    load.join
  end

  it 'shows what goes on, by worker, and nothing goes wrong in it' do
    page = open_page
    under_load { value(page, 'requests').to_f.positive? && value(page, 'latency').to_f.positive? }
    expect(page.evaluate('document.querySelectorAll("#workers tr").length')).to eq(3)
    expect(page.evaluate('document.getElementById("state").textContent')).to eq('ready')
    pids = page.evaluate('[...document.querySelectorAll("#workers tr")].map((row) => Number(row.cells[1].textContent))')
    expect(pids).to match_array([@server.pid, *@server.children])
    eventually(within: 20) { page.evaluate('document.querySelectorAll("#memory > svg polyline").length') == 3 }
    expect(value(page, 'memory').to_f).to be > 20
    points = 'document.querySelector("#requests > svg polyline").getAttribute("points").split(" ").length'
    eventually(within: 20) { page.evaluate(points) > 2 }
    expect(page.title).to eq('iodine')
    expect(@problems).to eq([])
    page.screenshot(path: ENV.fetch('IODINE_SPEC_SHOT')) if ENV.key?('IODINE_SPEC_SHOT')
  end

  it 'runs nothing but its own, and asks nobody else' do
    page = open_page
    page.evaluate('document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>")')
    page.execute('const s = document.createElement("script"); s.textContent = "window.pwned = 1"; document.body.append(s)')
    page.execute(<<~JS)
      fetch('http://127.0.0.1:#{@server.port}/', { mode: 'no-cors' })
        .then(() => { window.out = 'got out' }, () => { window.out = 'stopped' })
    JS
    eventually { page.evaluate('window.out') == 'stopped' }
    expect(page.evaluate('window.pwned')).to be_nil
    expect(@problems.grep(/Content Security Policy/)).not_to be_empty
  end

  [%w[light desk], %w[dark phone]].each do |scheme, screen|
    it "fits (#{scheme}, #{screen})" do
      page = open_page(scheme: scheme, screen: Support::Chromium.const_get(screen.upcase))
      dark = page.evaluate('getComputedStyle(document.body).backgroundColor') == 'rgb(16, 19, 23)'
      expect(dark).to be(scheme == 'dark')
      expect(page.evaluate('document.documentElement.scrollWidth <= innerWidth')).to be(true)
    end
  end

  it 'says so when the server is gone, and goes on when it is back' do
    server = boot('run ->(_) { [200, {}, []] }', '-w', '1', '--metrics', (port = Support::Server.free_port).to_s, lint: false)
    page = person(@chromium)
    page.go_to("http://127.0.0.1:#{port}/")
    state = -> { page.evaluate('document.body.dataset.state') }
    eventually(within: 20) { state.call == 'live' }
    server.kill(:KILL)
    eventually(within: 20) { state.call == 'lost' }
    boot('run ->(_) { [200, {}, []] }', '-w', '1', '--metrics', port.to_s, lint: false)
    eventually(within: 20) { state.call == 'live' }
  end
end
