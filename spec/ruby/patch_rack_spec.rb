# frozen_string_literal: true

RSpec.describe 'Iodine.patch_rack' do
  # Every text is decoded before and after; a line for each that differs.
  it "has the results of Rack's own decoding" do
    out = ruby_output(<<~'RUBY')
      require 'rack'
      random = Random.new(1)
      alphabet = ['%', '+', 'a', '4', '1', 'F', '%41', '%c3%a9', '%C3', "\u00e9", '&', '=', ' ', '%00', '%zz']
      texts = ['', '%', '%4', "\xff", 'plain', "\u00e9".encode('ISO-8859-1'), 'a'.encode('UTF-16LE'), 'a+b'.freeze, :symbol, nil, 5]
      texts += Array.new(2000) { Array.new(random.rand(8)) { alphabet.sample(random: random) }.join }
      result = lambda do |text, *rest|
        value = Rack::Utils.unescape(text, *rest)
        [value, value.encoding, value.frozen?]
      rescue StandardError => e
        e.class
      end
      all = -> { texts.flat_map { |text| [result.call(text), result.call(text, Encoding::BINARY)] } }
      query = 'user%5Bname%5D=J%C3%A9r%C3%B4me&a%5B%5D=1&a%5B%5D=2+3&b'
      before = [all.call, Rack::Utils.parse_nested_query(query)]
      p Iodine.patch_rack.equal?(Iodine)
      after = [all.call, Rack::Utils.parse_nested_query(query)]
      before.first.zip(after.first).each_with_index { |(a, b), i| p [texts[i / 2], a, b] if a != b }
      p before.last == after.last
      p Rack::Utils.unescape('a').equal?('a')
    RUBY
    expect(out).to eq("true\ntrue\nfalse\n")
  end

  it 'is used by the parser of queries' do
    out = ruby_output(<<~RUBY)
      require 'rack'
      Iodine.patch_rack
      count = 0
      counter = Module.new { define_method(:url_decode) { |*all| count += 1; super(*all) } }
      Iodine::Server.singleton_class.prepend(counter)
      Rack::Utils.parse_nested_query('a=1&b=2')
      p count
    RUBY
    expect(out).to eq("4\n")
  end
end
