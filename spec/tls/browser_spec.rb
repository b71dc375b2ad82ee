# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'Chromium' do
  include Secure

  program = %w[chromium chromium-browser google-chrome].find { |name| system('which', name, out: File::NULL) }
  before { raise 'Chromium is missing: bin/test installs it' unless program }

  # What the browser makes of a page. It trusts the one public key, as if its certificate came from a known authority.
  define_method(:page) do |path, pair|
    key = OpenSSL::X509::Certificate.new(File.read(pair.certificate)).public_key
    pin = Digest::SHA256.base64digest(key.public_to_der)
    out, = Open3.capture2('timeout', '40', program, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom',
                          "--user-data-dir=#{work_dir}", "--ignore-certificate-errors-spki-list=#{pin}",
                          '--host-resolver-rules=MAP example.test 127.0.0.1', '--virtual-time-budget=5000',
                          "https://example.test:#{@server.port}#{path}", err: File::NULL)
    out
  end

  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '4', *site_options, lint: false)
      run(lambda do |env|
        next [200, { 'content-type' => 'text/javascript' }, ["part(#{env['PATH_INFO'][/\d+/]})"]] if env['PATH_INFO'] != '/'

        scripts = Array.new(20) { |n| "<script src='/#{n}.js' defer></script>" }.join
        page = "<!doctype html><title>t</title><p>#{env['rack.url_scheme']}</p><ul id=list></ul>" \
               "<script>function part(n) { list.innerHTML += '<li>' + n }</script>#{scripts}"
        [200, { 'content-type' => 'text/html' }, [page]]
      end)
    RUBY
  end

  it 'shows a page and all that it loads' do
    dom = page('/', @site)
    expect(dom).to include('<p>https</p>')
    expect(dom.scan(/<li>(\d+)/).flatten).to eq(Array.new(20, &:to_s))
  end

  it 'shows nothing to who does not trust the certificate' do
    expect(page('/', @authority.issue('other.test'))).not_to include('<p>https</p>')
  end
end
