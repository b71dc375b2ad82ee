# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'rack.input' do
  extend RackApp

  rack_app <<~RUBY
    digest = ->(string) { string && [string.bytesize, string.sum(32), string.encoding.to_s] }
    ways = {
      '/all' => ->(input) { digest.call(input.read) },
      '/nil' => ->(input) { [digest.call(input.read(nil)), digest.call(input.read), input.read(1), input.read(0)] },
      '/sizes' => ->(input) { sizes = []; while (part = input.read(65_536)) do sizes << part.bytesize end; sizes },
      '/buffer' => ->(input) do
        buffer = +'before'
        all = String.new
        same = true
        while (part = input.read(10_000, buffer)) do same &&= part.equal?(buffer); all << part end
        [digest.call(all), same, buffer, digest.call(buffer)]
      end,
      '/buffer-all' => ->(input) { buffer = +'ä'; [input.read(nil, buffer).equal?(buffer), digest.call(buffer)] },
      '/zero' => ->(input) { buffer = +'x'; [input.read(0), input.read(0, buffer), buffer] },
      '/negative' => ->(input) { begin input.read(-1); rescue ArgumentError => e; e.message end },
      '/gets' => ->(input) { lines = []; while (line = input.gets) do lines << line end; [lines.size, lines.map(&:bytesize).max, lines.join.sum(32), input.gets] },
      '/each' => ->(input) { lines = []; input.each { |line| lines << line }; lines },
      '/rewind' => ->(input) { first = input.read; input.rewind; [first == input.read, input.rewind, input.gets&.bytesize] },
      '/close' => ->(input) { input.close; begin digest.call(input.read); rescue IOError => e; e.message end },
      '/closing' => ->(input) do
        length = Object.new.tap { |object| object.define_singleton_method(:to_int) { input.close || 3 } }
        begin input.read(length); rescue IOError => e; e.message end
      end,
      '/size' => ->(input) { input.size },
      '/enumerator' => ->(input) { input.each.to_a.size },
      '/frozen' => ->(input) { begin input.read(1, 'frozen'.freeze); rescue FrozenError => e; e.class.name end },
      '/threads' => ->(input) do
        parts = Array.new(4) { Thread.new { input.read(400_000) } }.map(&:value)
        parts.compact.sum(&:bytesize)
      end
    }
    lambda do |env|
      input = env['rack.input']
      input = input.instance_variable_get(:@input) if input.class.name.include?('Lint') && env['HTTP_X_BARE']
      [200, { 'content-type' => 'application/json' }, [JSON.generate([ways.fetch(env['PATH_INFO']).call(input)])]]
    end
  RUBY

  def input(way, body, bare: false)
    headers = bare ? { 'x-bare' => '1' } : {}
    JSON.parse(dial.request('POST', way, headers, body: body).body).first
  end

  def digest(string)
    [string.bytesize, string.sum(32), 'ASCII-8BIT']
  end

  small = "one\ntwo\n\nlast"
  large = Random.new(1).bytes(300_000).tr("\n", ' ').insert(70_000, "\n").insert(200_000, "\n")

  { 'in memory' => small, 'in a file' => large }.each do |where, body|
    context where do
      it 'reads all of it' do
        expect(input('/all', body)).to eq(digest(body))
        expect(input('/nil', body)).to eq([digest(body), digest(''), nil, ''])
      end

      it 'reads pieces' do
        expect(input('/sizes', body)).to eq([*[65_536] * (body.bytesize / 65_536), body.bytesize % 65_536])
      end

      it 'reads into a buffer' do
        expect(input('/buffer', body)).to eq([digest(body), true, '', digest('')])
        expect(input('/buffer-all', body)).to eq([true, digest(body)])
      end

      it 'reads lines' do
        lines = body.lines
        expect(input('/gets', body)).to eq([lines.size, lines.map(&:bytesize).max, body.sum(32), nil])
        expect(input('/enumerator', body, bare: true)).to eq(lines.size)
      end

      it 'rewinds' do
        expect(input('/rewind', body, bare: true)).to eq([true, 0, body.lines.first.bytesize])
      end

      it 'tells its size' do
        expect(input('/size', body, bare: true)).to eq(body.bytesize)
      end

      it 'can be closed' do
        expect(input('/close', body, bare: true)).to match(/closed/)
        expect(input('/closing', body, bare: true)).to match(/closed/)
      end
    end
  end

  it 'reads nothing and refuses nonsense as IO does' do
    expect(input('/zero', small)).to eq(['', '', ''])
    expect(input('/negative', small, bare: true)).to eq('negative length -1 given')
    expect(input('/frozen', small)).to eq('FrozenError')
  end

  it 'yields lines' do
    expect(input('/each', small)).to eq(%W[one\n two\n \n last])
  end

  it 'can be read by several threads' do
    expect(input('/threads', 'x' * 1_000_000)).to eq(1_000_000)
  end

  it 'is empty without a body' do
    expect(json('/all')).to eq([digest('')])
    expect(json('/nil')).to eq([[digest(''), digest(''), nil, '']])
    expect(json('/buffer')).to eq([[digest(''), true, '', digest('')]])
    expect(json('/each')).to eq([[]])
    expect(json('/size', 'x-bare' => '1')).to eq([0])
  end

  it 'stays readable without a body after somebody closed it' do
    2.times { expect(json('/close', 'x-bare' => '1')).to eq([digest('')]) }
  end

  it 'leaves no descriptor open' do
    count = -> { Dir.children("/proc/#{server.pid}/fd").size }
    3.times { input('/all', large) }
    before = count.call
    client = dial
    20.times { client.request('POST', '/size', { 'x-bare' => '1' }, body: large) }
    expect(count.call).to be <= before + 2
  end
end
