# frozen_string_literal: true

require_relative '../support/folders'

# Files that change under the server's hands: only the answer that is under way may suffer.
RSpec.describe 'Static files that change' do
  before do
    @folder = Folders.fill(work_dir, 'small.txt' => 'first', 'large.bin' => 'a' * 20_000_000)
    @server = boot_cli('-w', '1', '-t', '1', '-www', @folder, dir: @folder)
  end

  def path(name)
    File.join(@folder, name)
  end

  # A client that has the head and the first bytes of the large file, and reads no further for now.
  def under_way
    client = dial
    client.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
    expect(client.read(1000)).to start_with('HTTP/1.1 200 OK')
    client
  end

  it 'are seen within a second or so' do
    expect(@server.get('/small.txt').body).to eq('first')
    File.write(path('small.txt'), 'second')
    eventually { @server.get('/small.txt').body == 'second' }
    File.unlink(path('small.txt'))
    eventually { @server.get('/small.txt').status == 404 }
    File.write(path('small.txt'), 'third')
    eventually { @server.get('/small.txt').body == 'third' }
  end

  it 'cut short while they are sent break that answer off, and no other' do
    client = under_way
    File.truncate(path('large.bin'), 10)
    expect(client.rest(within: 20).bytesize).to be < 20_000_000
    expect(dial.get('/small.txt').body).to eq('first')
    expect(@server.get('/large.bin').body).to eq('a' * 10)
  end

  it 'cut short a moment ago are sent as they are' do
    expect(@server.get('/large.bin', { 'range' => 'bytes=0-1' }).status).to eq(206)
    File.truncate(path('large.bin'), 100_000)
    expect(@server.get('/large.bin').body.bytesize).to eq(100_000)
    File.write(path('large.bin'), 'b' * 100_000)
    expect(@server.get('/large.bin').body).to eq('b' * 100_000)
  end

  it 'grown while they are sent are sent as long as they were' do
    client = under_way
    File.write(path('large.bin'), 'b' * 1000, mode: 'a')
    length = 20_000_000 - 1000
    rest = client.read(length) # the head is a few hundred bytes of the first thousand
    expect(rest).to eq('a' * length)
    eventually { @server.get('/large.bin')['content-length'] == '20001000' }
  end

  it 'replaced or deleted while they are sent are sent to the end' do
    first = under_way
    second = under_way
    File.write(path('new'), 'b' * 20_000_000)
    File.rename(path('new'), path('large.bin'))
    expect(first.read(19_900_000)).to eq('a' * 19_900_000)
    File.unlink(path('large.bin'))
    expect(second.read(19_900_000)).to eq('a' * 19_900_000)
  end

  it 'are not held open when nobody asks for them' do
    @server.get('/small.txt') # it is all there now
    before = @server.descriptors
    30.times { |n| File.write(path("f#{n}"), 'x' * 50_000) }
    30.times { |n| expect(dial { |client| client.get("/f#{n}") }.body.bytesize).to eq(50_000) }
    eventually { @server.descriptors <= before }
  end

  it 'appear and vanish by the thousand without harm' do
    stop = false
    churn = Thread.new do
      until stop
        File.write(path('new'), 'c' * rand(1..60_000))
        File.rename(path('new'), path('churn.txt'))
        File.unlink(path('churn.txt')) if rand < 0.3
      end
    end
    client = dial
    Array.new(300) { client.get('/churn.txt') }.each do |answer|
      expect(answer.status).to eq(200).or eq(404)
      expect(answer.body).to match(/\Ac+\z/) if answer.status == 200
    end
  ensure
    stop = true
    churn&.join
  end

  describe 'while there are no descriptors' do
    before do
      file = write_file(work_dir, 'config.ru', <<~'RUBY')
        taken = []
        run(lambda do |env|
          case env['PATH_INFO']
          when '/take'
            begin
              loop { taken << File.open(File::NULL) }
            rescue Errno::EMFILE
              nil
            end
          when '/leave' then taken.each(&:close).clear
          end
          [200, { 'content-type' => 'text/plain' }, ['app']]
        end)
      RUBY
      port = Support::Server.free_port
      command = ['sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh', *ruby, File.join(ROOT, 'exe', 'iodine')]
      @server = launch([*command, '-b', '127.0.0.1', '-p', port.to_s, '-w', '1', '-t', '1', '-www', @folder, file], port: port)
    end

    it 'are answered with 503, and soon as ever' do
      client = dial
      expect([client.get('/take').body, client.get('/small.txt').status]).to eq(['app', 503])
      expect([client.get('/leave').body, client.get('/small.txt').body]).to eq(%w[app first])
    end

    it 'give way: those held for later are closed for a client, or for another file' do
      5.times { |n| File.write(path("held#{n}"), 'x' * 50_000) }
      client = dial
      eventually do # the files were opened less than a second ago
        5.times { |n| client.get("/held#{n}") }
        client.get('/take')
        dial.get('/app').body == 'app' && client.get('/large.bin', { 'range' => 'bytes=0-1' }).status == 206
      end
    end
  end
end
