# frozen_string_literal: true

require_relative '../support/folders'

# RFC 9110 sections 13 and 14 over a real connection; the parsers have tables of their own in spec/c.
RSpec.describe 'Conditions and ranges of static files' do
  content = Random.new(2).bytes(100_000)

  before(:context) do
    @folder = Folders.fill(work_dir, 'small.txt' => '0123456789', 'large.bin' => content, 'empty.txt' => '')
    @server = boot_cli('-w', '1', '-t', '1', '-www', @folder, dir: @folder)
  end

  date = Folders::LONG_AGO.strftime('%a, %d %b %Y %H:%M:%S GMT')
  before_that = 'Mon, 01 Jan 2024 00:00:00 GMT'

  def get(path, headers = {}, method: 'GET')
    dial { |client| client.request(method, path, headers) }
  end

  def tag
    @tag ||= get('/small.txt')['etag']
  end

  describe 'a condition' do
    {
      { 'if-none-match' => :tag } => 304, { 'if-none-match' => '*' } => 304, { 'if-none-match' => '"x"' } => 200,
      { 'if-none-match' => '"x", W/:tag , "y"' } => 304, { 'if-none-match' => 'nonsense' } => 200,
      { 'if-modified-since' => date } => 304, { 'if-modified-since' => before_that } => 200,
      { 'if-modified-since' => 'Tuesday, 02-Jan-24 03:04:05 GMT' } => 304, { 'if-modified-since' => 'yesterday' } => 200,
      { 'if-none-match' => '"x"', 'if-modified-since' => date } => 200,
      { 'if-match' => :tag } => 200, { 'if-match' => '*' } => 200, { 'if-match' => '"x"' } => 412, { 'if-match' => 'W/:tag' } => 412,
      { 'if-unmodified-since' => date } => 200, { 'if-unmodified-since' => before_that } => 412,
      { 'if-match' => :tag, 'if-none-match' => :tag } => 304
    }.each do |headers, status|
      it "#{headers} is answered with #{status}" do
        given = headers.transform_values { |value| value.to_s.sub(':tag', tag).sub(/\Atag\z/, tag) }
        [get('/small.txt', given), get('/small.txt', given, method: 'HEAD')].each do |answer|
          expect(answer.status).to eq(status)
          expect(answer['etag']).to eq(tag)
        end
      end
    end

    it 'that holds is answered without body, length and type, and the connection goes on' do
      dial do |client|
        answer = client.get('/small.txt', { 'if-none-match' => tag })
        expect(answer.headers.keys).to match_array(%w[etag last-modified accept-ranges cache-control date])
        expect(client.get('/small.txt').body).to eq('0123456789')
      end
    end
  end

  describe 'a range' do
    {
      'bytes=0-3' => '0123', 'bytes=3-' => '3456789', 'bytes=-3' => '789', 'bytes=9-99' => '9', 'bytes=-99' => '0123456789',
      'BYTES=1-1' => '1', 'bytes=0-3,4-5' => '012345', 'bytes= 2-4' => '234'
    }.each do |range, body|
      it "#{range} is answered with 206 and these bytes" do
        answer = get('/small.txt', { 'range' => range })
        expect([answer.status, answer.body]).to eq([206, body])
        expect(answer['content-length']).to eq(body.bytesize.to_s)
        expect(answer['content-range']).to match(%r{\Abytes \d-\d/10\z})
      end
    end

    it 'of a large file is as exact' do
      expect(get('/large.bin', { 'range' => 'bytes=70000-99998' }).body).to eq(content[70_000..99_998])
      expect(curl('-r', '50000-50009', "http://127.0.0.1:#{@server.port}/large.bin")).to eq(content[50_000, 10])
    end

    ['lines=0-3', 'bytes=x', 'bytes=3-1', 'bytes', 'bytes=', "bytes=#{(0..16).map { |n| "#{n * 1000}-#{n * 1000}" }.join(',')}"].each do |range|
      it "that means nothing is as if it weren't there: #{range[0, 40]}" do
        answer = get('/large.bin', { 'range' => range })
        expect([answer.status, answer.body]).to eq([200, content])
      end
    end

    ['bytes=10-', 'bytes=10-20,30-', 'bytes=-0', 'bytes=99999999999999999999999-'].each do |range|
      it "with no byte of the file is answered with 416: #{range}" do
        answer = get('/small.txt', { 'range' => range })
        expect([answer.status, answer['content-range'], answer.body]).to eq([416, 'bytes */10', ''])
      end
    end

    it 'holds for GET alone, and once' do
      expect(get('/small.txt', { 'range' => 'bytes=0-1' }, method: 'HEAD')['content-length']).to eq('10')
      twice = dial { |c| c.ask("GET /small.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n") }
      expect(twice.status).to eq(200)
      expect(get('/empty.txt', { 'range' => 'bytes=0-' }).status).to be_between(200, 416)
    end

    it 'is for the file that If-Range names' do
      holds = { tag => 206, '"x"' => 200, "W/#{tag}" => 200, date => 206, before_that => 200, 'x' => 200 }
      holds.each do |value, status|
        expect(get('/small.txt', { 'range' => 'bytes=0-1', 'if-range' => value }).status).to eq(status), value
      end
    end
  end

  describe 'several ranges' do
    def parts(answer)
      boundary = answer['content-type'][%r{\Amultipart/byteranges; boundary=(\w+)\z}, 1]
      expect(answer.body).to end_with("--#{boundary}--\r\n")
      answer.body.split(/(?:\r\n)?--#{boundary}(?:--)?\r\n/n).reject(&:empty?).map { |part| part.split("\r\n\r\n", 2) }
    end

    { '/small.txt' => '0123456789', '/large.bin' => content }.each do |path, whole|
      it "are the parts of one answer: #{path}" do
        answer = get(path, { 'range' => 'bytes=0-1,5-6,-1' })
        last = whole.bytesize - 1
        expect([answer.status, answer['content-length']]).to eq([206, answer.body.bytesize.to_s])
        expect(parts(answer).map(&:last)).to eq([whole[0..1], whole[5..6], whole[-1]])
        expect(parts(answer).map { |head, _| head[/content-range: (.*)/i, 1].strip })
          .to eq(["bytes 0-1/#{last + 1}", "bytes 5-6/#{last + 1}", "bytes #{last}-#{last}/#{last + 1}"])
      end
    end

    it 'have a boundary of their own each time' do
      expect(Array.new(3) { get('/small.txt', { 'range' => 'bytes=0-0,2-2' })['content-type'] }.uniq.size).to eq(3)
    end

    it 'by the thousand are no more work than the file' do
      [(0..1500).map { |n| "#{n * 2}-#{n * 2}" }, (0..1500).map { '0-' }, (0..1200).map { |n| "#{n}-99999" }].each do |list|
        answer = get('/large.bin', { 'range' => "bytes=#{list.join(',')}"[0, 8000].sub(/,[^,]*\z/, '') })
        expect(answer.body.bytesize).to be <= content.bytesize
        expect(answer.status).to be_between(200, 206)
      end
    end
  end
end
