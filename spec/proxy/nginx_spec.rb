# frozen_string_literal: true

require_relative 'proxy_app'

# Behind a real nginx, with the configuration of docs/proxy.md: over a Unix socket as it stands there, and over TCP.
RSpec.describe 'Behind nginx' do
  include ProxyApp

  documented = File.read(File.join(ROOT, 'docs', 'proxy.md'))[/^```nginx\n(.*?)^```$/m, 1]
  upstream = documented[/^upstream app \{.*?^\}/m]
  location = documented[%r{^  location / \{.*?^  \}}m]

  before(:context) do
    path = File.join(work_dir, 'app.sock')
    app = boot(ProxyApp::SOURCE, '-w', '1', '-b', '127.0.0.1', '-b', "unix://#{path}", '--trusted-proxy', '127.0.0.9')
    unix = upstream.sub('/run/app.sock', path)
    tcp = upstream.sub('app', 'tcp').sub('unix:/run/app.sock', "127.0.0.1:#{app.port}")
    by_tcp = location.sub('location /', 'location /tcp/').sub('http://app;', 'http://tcp; proxy_bind 127.0.0.9;')
    @server = boot_nginx(location + by_tcp, upstreams: unix + tcp)
  end

  %w[/unix/ /tcp/].each do |path|
    it "has the address, scheme and host that nginx saw: #{path}" do
      expect(seen(dial.get(path, 'host' => 'www.example'))).to include(
        'REMOTE_ADDR' => '127.0.0.1', 'rack.url_scheme' => 'http', 'SERVER_NAME' => 'www.example', 'ip' => '127.0.0.1',
        'url' => "http://www.example#{path}"
      )
    end

    it "does not believe what the client says of itself: #{path}" do
      forged = ['X-Forwarded-For: 6.6.6.6', 'Forwarded: for=6.6.6.6;proto=https;host=evil.example',
                'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 1']
      out = curl('--interface', '127.0.0.5', '-H', 'Host: www.example', *forged.flat_map { |line| ['-H', line] },
                 "http://127.0.0.1:#{@server.port}#{path}")
      expect(JSON.parse(out)).to include('REMOTE_ADDR' => '127.0.0.5', 'rack.url_scheme' => 'http',
                                         'SERVER_NAME' => 'www.example', 'SERVER_PORT' => '80',
                                         'url' => "http://www.example#{path}")
    end

    it "serves many requests over the connections that nginx keeps: #{path}" do
      client = dial
      expect(Array.new(30) { seen(client.get(path))['REMOTE_ADDR'] }.uniq).to eq(['127.0.0.1'])
    end
  end
end
