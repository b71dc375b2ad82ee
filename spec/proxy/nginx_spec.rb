# frozen_string_literal: true

require_relative 'proxy_app'

# Behind a real nginx, with the configuration of docs/proxy.md.
RSpec.describe 'Behind nginx' do
  include ProxyApp

  before(:context) do
    path = File.join(work_dir, 'app.sock')
    app = boot(ProxyApp::SOURCE, '-w', '1', '-b', '127.0.0.1', '-b', "unix://#{path}", '--trusted-proxy', '127.0.0.9')
    headers = <<~CONF
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host "";
      proxy_set_header X-Forwarded-Port "";
      proxy_set_header Forwarded "";
    CONF
    upstreams = "upstream tcp { server 127.0.0.1:#{app.port}; keepalive 8; } upstream unix { server unix:#{path}; keepalive 8; }"
    @server = boot_nginx(<<~CONF, upstreams: upstreams)
      location /tcp/ { proxy_pass http://tcp; proxy_bind 127.0.0.9; #{headers} proxy_set_header X-Forwarded-Proto $scheme; }
      location /unix/ { proxy_pass http://unix; #{headers} proxy_set_header X-Forwarded-Proto https; }
    CONF
  end

  def ask(path, *lines)
    text = lines.map { |line| "#{line}\r\n" }.join
    seen(dial { |client| client.ask("GET #{path} HTTP/1.1\r\nHost: www.example\r\n#{text}\r\n") })
  end

  it 'has the scheme that nginx says' do
    expect(ask('/tcp/')).to include('REMOTE_ADDR' => '127.0.0.1', 'rack.url_scheme' => 'http', 'SERVER_NAME' => 'www.example')
    expect(ask('/unix/')).to include('REMOTE_ADDR' => '127.0.0.1', 'rack.url_scheme' => 'https', 'SERVER_PORT' => '443',
                                     'url' => 'https://www.example/unix/')
  end

  it 'has the address that nginx saw, not what the client claims' do
    forged = ['X-Forwarded-For: 6.6.6.6', 'Forwarded: for=6.6.6.6;proto=https;host=evil.example',
              'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https']
    { '/tcp/' => 'http', '/unix/' => 'https' }.each do |path, scheme|
      out = curl('--interface', '127.0.0.5', '-H', 'Host: www.example', *forged.flat_map { |line| ['-H', line] },
                 "http://127.0.0.1:#{@server.port}#{path}")
      expect(JSON.parse(out)).to include('REMOTE_ADDR' => '127.0.0.5', 'rack.url_scheme' => scheme,
                                         'SERVER_NAME' => 'www.example', 'url' => "#{scheme}://www.example#{path}")
    end
  end

  it 'serves many requests over the connections that nginx keeps' do
    %w[/tcp/ /unix/].each do |path|
      client = dial
      answers = Array.new(30) { seen(client.get(path))['REMOTE_ADDR'] }
      expect(answers.uniq).to eq(['127.0.0.1'])
    end
  end
end
