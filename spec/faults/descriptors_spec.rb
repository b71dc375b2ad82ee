# frozen_string_literal: true

# The root has no descriptor left when it is to replace a worker.
RSpec.describe 'A root without descriptors' do
  it 'serves on with the other workers, and replaces the dead one later' do
    flag = File.join(work_dir, 'again')
    config = write_file(work_dir, 'config.rb', <<~RUBY)
      usual = Process.getrlimit(:NOFILE)
      Iodine.on_state(:on_child_crush) { Process.setrlimit(:NOFILE, 3, usual.last) }
      Iodine.run_every(50) { Process.setrlimit(:NOFILE, *usual) if !Iodine.worker? && File.exist?(#{flag.inspect}) }
    RUBY
    server = boot_hello('-w', '2', '-t', '1', '-C', config)
    victim, other = eventually { server.children.then { |pids| pids if pids.size == 2 } }
    Process.kill(:KILL, victim)
    server.wait_for(/^ERROR: can't fork a worker: Too many open files.*raise the system's limits$/)
    expect(server.get.body).to start_with("#{other} ")
    File.write(flag, '')
    eventually(within: 20) { server.children.size == 2 }
    expect(server.stderr).not_to include('FATAL')
  end
end
