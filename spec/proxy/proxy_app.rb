# frozen_string_literal: true

require 'json'

# What an application sees of a request, as JSON, and what Rack and Rails make of it.
module ProxyApp
  SOURCE = <<~RUBY
    require 'json'
    require 'rack/request'
    run(lambda do |env|
      seen = env.slice('REMOTE_ADDR', 'rack.url_scheme', 'HTTPS', 'SERVER_NAME', 'SERVER_PORT')
      seen.update(env.select { |key, _| key.match?(/\\AHTTP_(?:HOST|.*FORWARDED)/) })
      seen['url'] = Rack::Request.new(env).url
      seen['ip'] = Rack::Request.new(env).ip
      [200, { 'content-type' => 'application/json' }, [JSON.generate(seen)]]
    end)
  RUBY

  def seen(response)
    JSON.parse(response.body)
  end

  # The env of a request with these header lines.
  def env_of(*lines, client: dial)
    seen(client.ask("GET / HTTP/1.1\r\nHost: app.example\r\n#{lines.map { |line| "#{line}\r\n" }.join}\r\n"))
  end

  # What a proxy decides: address, scheme, name and port.
  def decided(*lines, **options)
    env_of(*lines, **options).values_at('REMOTE_ADDR', 'rack.url_scheme', 'SERVER_NAME', 'SERVER_PORT')
  end

  def address(*lines, **options)
    decided(*lines, **options).first
  end
end
