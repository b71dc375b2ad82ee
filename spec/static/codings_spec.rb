# frozen_string_literal: true

require_relative '../support/folders'
require 'stringio'
require 'zlib'

# Compressed files that stand beside the ones they were made of.
RSpec.describe 'Codings of static files' do
  page = '<p>hello</p>' * 50

  before(:context) do
    zipped = Zlib.gzip(page)
    @folder = Folders.fill(work_dir, 'page.html' => page, 'page.html.gz' => zipped, 'page.html.br' => 'brotli',
                                     'page.html.zst' => 'zstandard', 'one.js' => 'x = 1', 'one.js.gz' => Zlib.gzip('x = 1'),
                                     'old.css' => 'new', 'old.css.gz' => Zlib.gzip('old'), 'plain.txt' => 'plain')
    past = Folders::LONG_AGO - 60
    File.utime(past, past, File.join(@folder, 'old.css.gz'))
    @server = boot_cli('-w', '1', '-t', '1', '-www', @folder, dir: @folder)
  end

  def get(path, accepted = nil, more = {})
    dial { |client| client.get(path, (accepted ? { 'accept-encoding' => accepted } : {}).merge(more)) }
  end

  {
    nil => nil, 'gzip' => 'gzip', 'br' => 'br', 'zstd' => 'zstd', 'gzip, deflate, br, zstd' => 'zstd', 'gzip, br' => 'br',
    'gzip;q=1, br;q=0.5' => 'gzip', 'br;q=0, gzip' => 'gzip', 'x-gzip' => 'gzip', '*' => 'zstd', 'identity' => nil,
    'identity, gzip;q=0.5' => nil, 'gzip;q=0' => nil, '*;q=0' => nil, 'deflate' => nil, 'GZIP' => 'gzip', ';;;,q=' => nil
  }.each do |accepted, coding|
    it "are chosen by #{accepted.inspect}: #{coding || 'as it is'}" do
      answer = get('/page.html', accepted)
      expect([answer.status, answer['content-encoding'], answer['vary']]).to eq([200, coding, 'accept-encoding'])
      expect(answer['content-type']).to eq('text/html; charset=utf-8')
    end
  end

  it 'are what curl unpacks' do
    expect(curl('-H', 'accept-encoding: gzip', '--compressed', "http://127.0.0.1:#{@server.port}/page.html")).to eq(page)
  end

  it 'have ETags of their own, and conditions and ranges are about them' do
    tags = [nil, 'gzip', 'br', 'zstd'].map { |coding| get('/page.html', coding)['etag'] }
    expect(tags.uniq.size).to eq(4)
    expect(get('/page.html', 'br', { 'if-none-match' => tags[2] }).status).to eq(304)
    expect(get('/page.html', 'br', { 'if-none-match' => tags[1] }).status).to eq(200)
    part = get('/page.html', 'br', { 'range' => 'bytes=0-2' })
    expect([part.status, part['content-encoding'], part.body]).to eq([206, 'br', 'bro'])
  end

  it 'are named in Vary on every answer, 304 too, and only where there are any' do
    expect(get('/page.html', 'gzip', { 'if-none-match' => '*' })['vary']).to eq('accept-encoding')
    expect(get('/plain.txt', 'gzip')['vary']).to be_nil
    expect([get('/one.js', 'br')['content-encoding'], get('/one.js', 'br, gzip')['content-encoding']]).to eq([nil, 'gzip'])
  end

  it 'that are older than their file are of what it was before' do
    answer = get('/old.css', 'gzip')
    expect([answer['content-encoding'], answer.body, answer['vary']]).to eq([nil, 'new', nil])
  end

  it 'are files too' do
    answer = get('/page.html.gz', 'gzip')
    expect([answer['content-type'], answer['content-encoding']]).to eq(['application/gzip', nil])
  end
end
