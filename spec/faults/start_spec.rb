# frozen_string_literal: true

require 'socket'

# What keeps a server from starting, or a worker from coming up: one line says it.
RSpec.describe 'A start that fails' do
  let(:file) { write_file(work_dir, 'config.ru', Support::RubyRunner::HELLO) }

  def start(*args)
    _, err, status = run_cli('-b', '127.0.0.1', *args)
    [status.exitstatus, err.lines(chomp: true).last]
  end

  it 'for a port in use names it' do
    taken = TCPServer.new('127.0.0.1', 0)
    port = taken.addr[1]
    expect(start('-p', port.to_s, '-w', '2', file)).to eq([1, "FATAL: can't listen on 127.0.0.1:#{port}: Address already in use"])
    taken.close
  end

  {
    'that ends' => ['exit!(3)', 'ended with status 3'],
    'that crashes' => ['Process.kill(:SEGV, Process.pid) && sleep', 'was killed by SIGABRT'], # by Ruby, after its report
    'that is killed' => ['Process.kill(:KILL, Process.pid)', 'was killed by SIGKILL']
  }.each do |name, (code, fate)|
    it "for a worker #{name} in on_start says so, after three tries with pauses" do
      config = write_file(work_dir, 'config.rb', <<~RUBY)
        Iodine.on_state(:on_start) { #{code} }
        Iodine.on_state(:on_child_crush) { warn 'a crush' }
      RUBY
      _, err, status = run_cli('-p', '0', '-b', '127.0.0.1', '-w', '2', '-C', config, file)
      expect([status.exitstatus, err.lines.last]).to eq([1, "FATAL: no worker came up: the last one #{fate}\n"])
      expect(err).to match(/^ERROR: worker \d+ #{fate} and is replaced in 0\.5 s$/)
      expect(err).to include('a crush')
    end
  end

  it 'for an application that each worker loads says what it raised' do
    broken = write_file(work_dir, 'config.ru', "require 'no_such_library'")
    expect(start('-p', '0', '-w', '2', '--no-preload', broken))
      .to match([1, /\AFATAL: no worker came up: cannot load such file -- no_such_library \(LoadError\)\z/])
  end

  it 'is none for an exception in on_start: that is logged' do
    config = write_file(work_dir, 'config.rb', "Iodine.on_state(:on_start) { raise 'oops' }")
    server = boot_hello('-w', '2', '-t', '1', '-C', config)
    server.wait_for(/^ERROR: on_state\(:on_start\): oops \(RuntimeError\)/)
    expect(server.get.status).to eq(200)
  end
end
