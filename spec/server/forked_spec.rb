# frozen_string_literal: true

# A process that the application forks has no part in serving.
RSpec.describe 'A process forked by the application' do
  before(:context) do
    @server = boot(<<~'RUBY', '-w', '1', '-t', '2')
      run(lambda do |env|
        how = env['PATH_INFO']
        if how == '/reads'
          reader, writer = IO.pipe
          Process.detach(fork do
            writer.close
            reader.getc # the parent's next uploads come first
            File.write(env['QUERY_STRING'], env['rack.input'].read)
            exit!
          end)
          $go = writer
        end
        $go.close if how == '/go'
        text = case how
               when '/lives', '/exits', '/collects'
                 pid = fork do
                   sleep 4 if how == '/lives'
                   3.times { GC.start(full_mark: true) } if how == '/collects'
                   Iodine.stop
                   exit # runs at_exit and finalizers
                 end
                 Process.detach(pid)
                 pid.to_s
               when '/sockets' then IO.popen(['ls', '-l', '/proc/self/fd'], &:read).scan(/socket:|eventpoll|eventfd/).join(' ')
               else 'ok'
               end
        [200, { 'content-type' => 'text/plain' }, [text]]
      end)
    RUBY
  end

  def alive?(pid)
    !File.read("/proc/#{pid}/stat").include?(') Z ')
  rescue Errno::ENOENT, Errno::ESRCH
    false
  end

  %w[/exits /collects].each do |how|
    it "closes and writes nothing of the parent's when it #{how.delete('/')}" do
      others = Array.new(3) { dial.tap(&:get) }
      client = dial
      child = client.get(how).body.to_i
      eventually { !alive?(child) }
      expect(client.get.body).to eq('ok')
      expect(others.map { |other| other.get.body }.uniq).to eq(['ok'])
      expect(@server.get.body).to eq('ok')
    end
  end

  it 'does not keep connections open, nor answer on the port, while it lives' do
    client = dial
    child = client.get('/lives').body.to_i
    expect(client.get('/', 'connection' => 'close').body).to eq('ok')
    expect(client.rest).to eq('')
    expect(Array.new(20) { @server.get.body }.uniq).to eq(['ok'])
    expect(alive?(child)).to be(true)
  end

  it 'reads the body of its own request, whatever was uploaded to the parent since' do
    Dir.mktmpdir do |folder|
      file = "#{folder}/read"
      dial.request('POST', "/reads?#{file}", body: 'a' * 200_000)
      8.times { expect(dial.request('POST', body: 'b' * 200_000).body).to eq('ok') }
      dial.get('/go')
      eventually { File.exist?(file) && File.size(file) == 200_000 }
      expect(File.read(file).squeeze).to eq('a')
    end
  end

  it 'inherits no socket through exec' do
    expect(dial.get('/sockets').body).to eq('')
  end

  it 'does not hold the port when the server has gone' do
    child = dial.get('/lives').body.to_i
    @server.kill
    @server.wait(timeout: 5)
    expect { dial }.to raise_error(Errno::ECONNREFUSED)
    expect(alive?(child)).to be(true)
  end
end
