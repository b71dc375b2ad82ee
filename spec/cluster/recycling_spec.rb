# frozen_string_literal: true

# Healthy workers that are replaced because they have grown, have answered much, or are old.
RSpec.describe 'Recycling' do
  app = <<~'RUBY'
    run(lambda do |env|
      $kept = 'x' * 160_000_000 if env['PATH_INFO'] == '/grow'
      [200, { 'content-type' => 'text/plain' }, [Process.pid.to_s]]
    end)
  RUBY

  define_method(:boot_cluster) do |*args|
    @server = boot(app, '-w', '2', '-t', '1', *args, lint: false)
    eventually { @server.children.then { |pids| pids if pids.size == 2 } }
  end

  def replaced(old)
    eventually(within: 40) { @server.children.size == 2 && !@server.children.intersect?(old) }
  end

  it 'replaces workers after so many requests, one at a time, and loses none' do
    old = boot_cluster('--worker-max-requests', '50')
    most = 0
    load = Support::Load.new(@server, 6)
    eventually(within: 40) do
      most = [most, @server.children.size].max
      !@server.children.intersect?(old)
    end
    expect(load.finish.failures).to eq([])
    expect(most).to eq(3)
    expect(@server.stderr).to match(/^INFO: worker #{old.first} has answered \d+ requests and is replaced$/)
    expect(@server.stderr).not_to match(/ERROR|crush|killed/)
  end

  it 'replaces a worker that has grown' do
    boot_cluster('--worker-max-rss', '100')
    fat = @server.get('/grow').body.to_i
    replaced([fat])
    expect(@server.stderr).to match(/^INFO: worker #{fat} has \d+ MB of memory and is replaced$/)
  end

  it 'replaces workers when they are old' do
    old = boot_cluster('--worker-max-age', '2')
    replaced(old)
    expect(@server.stderr).to match(/^INFO: worker #{old.first} is \d+ s old and is replaced$/)
  end

  it 'says that a single process has no use for it' do
    @server = boot(app, '-w', '1', '-t', '1', '--worker-max-rss', '100', '--worker-max-age', '9', lint: false)
    @server.wait_for(/^WARNING: worker-max-rss, worker-max-age: of no use in a single process/)
  end

  it 'stays with the old worker when the new one does not come up' do
    flag = File.join(work_dir, 'broken')
    config = write_file(work_dir, 'config.rb', <<~RUBY)
      Iodine::DEFAULT_SETTINGS[:worker_max_age] = 3
      Iodine.on_state(:on_start) { File.exist?(#{flag.inspect}) ? exit!(1) : warn('begins') }
    RUBY
    old = boot_cluster('-C', config)
    eventually { @server.stderr.scan('begins').size == 2 }
    File.write(flag, '')
    @server.wait_for(/the new worker failed to come up/)
    expect(@server.stderr.scan('is replaced').size).to eq(1)
    expect(old).to include(@server.get.body.to_i)
  end

  it 'is refused with a wrong number' do
    _, err, status = run_cli('-p', '0', '-b', '127.0.0.1', '-w', '2', write_file(work_dir, 'config.ru', app),
                             '-C', write_file(work_dir, 'config.rb', 'Iodine::DEFAULT_SETTINGS[:worker_max_age] = "old"'))
    expect([status.exitstatus, err.lines.last]).to eq([1, "FATAL: worker_max_age is \"old\": set a number, 0 or more\n"])
  end
end
