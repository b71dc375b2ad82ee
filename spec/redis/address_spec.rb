# frozen_string_literal: true

require 'iodine'

RSpec.describe 'The URL of a Redis' do
  def options(url)
    address(url).options.compact
  end

  def address(url)
    Iodine::PubSub::Redis.const_get(:Address).new(url)
  end

  none = { db: 0 }
  tcp = { host: 'a.example', port: 6379, ssl: false, db: 0 }
  {
    'redis://a.example' => tcp,
    'redis://a.example/' => tcp,
    'redis://a.example:7000/3' => tcp.merge(port: 7000, db: 3),
    'redis://a.example?db=4' => tcp.merge(db: 4),
    'rediss://a.example' => tcp.merge(ssl: true),
    'a.example' => tcp,
    'a.example:7000' => tcp.merge(port: 7000),
    'redis://[::1]:7000' => tcp.merge(host: '::1', port: 7000),
    'redis://anna:secret@a.example' => tcp.merge(username: 'anna', password: 'secret'),
    'redis://:secret@a.example' => tcp.merge(password: 'secret'),
    'redis://secret@a.example' => tcp.merge(password: 'secret'),
    'redis://anna:@a.example' => tcp.merge(username: 'anna'),
    'redis://an%40na:p%2Fa%23%C3%A9+@a.example' => tcp.merge(username: 'an@na', password: 'p/a#é+'),
    'unix:///run/redis.sock' => none.merge(path: '/run/redis.sock'),
    'redis+unix:///run/redis.sock' => none.merge(path: '/run/redis.sock'),
    '/run/redis.sock' => none.merge(path: '/run/redis.sock'),
    'unix:///run/redis.sock?db=2' => none.merge(path: '/run/redis.sock', db: 2),
    'unix://anna:secret@/run/redis.sock' => none.merge(path: '/run/redis.sock', username: 'anna', password: 'secret')
  }.each do |url, expected|
    it("may be #{url}") { expect(options(url)).to eq(expected) }
  end

  it 'may be an URI' do
    expect(options(URI('redis://a.example'))).to eq(tcp)
  end

  {
    'http://a.example' => /use redis:/, 'redis://' => /names no host/, 'redis://:6379' => /names no host/,
    'redis://a.example:0' => /no port 0/, 'redis://a.example:65536' => /no port 65536/,
    'redis://a.example:port' => /write it as/, 'redis://a.example/main' => /must be a number, not "main"/,
    'redis://a.example/-1' => /must be a number/, 'unix://' => /has no path/, '' => /names no host/,
    'redis://:se#cret@a.example' => /write it as/, 'redis://a b' => /write it as/
  }.each do |url, reason|
    it "is refused if it is #{url.inspect}" do
      expect { address(url) }.to raise_error(ArgumentError, reason)
    end
  end

  it 'is named when it is refused, but without the password' do
    expect { address('redis://anna:se#cret@a.example/main') }
      .to raise_error(ArgumentError, %r{\A"redis://\*\*\*@a\.example/main" is no URL of a Redis: })
  end

  it 'must be a String' do
    expect { address(nil) }.to raise_error(TypeError, /must be a String, not NilClass/)
  end

  { 'redis://anna:secret@a.example/3' => 'redis://a.example:6379', 'rediss://:secret@[::1]:7' => 'rediss://[::1]:7',
    'unix://anna:secret@/run/r.sock?db=3' => 'unix:///run/r.sock' }.each do |url, shown|
    it "is shown as #{shown} for #{url}" do
      engine = Iodine::PubSub::Redis.new(url)
      expect([address(url).to_s, engine.inspect]).to eq([shown, "#<Iodine::PubSub::Redis #{shown}>"])
    end
  end

  it 'comes with a ping from 0 to 255' do
    [0, 255].each { |ping| Iodine::PubSub::Redis.new('redis://a.example', ping: ping) }
    [-1, 256].each do |ping|
      expect { Iodine::PubSub::Redis.new('redis://a.example', ping: ping) }.to raise_error(RangeError, /0 to 255/)
    end
    expect { Iodine::PubSub::Redis.new('redis://a.example', ping: '5') }.to raise_error(TypeError, /Integer/)
  end
end
