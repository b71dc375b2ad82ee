# frozen_string_literal: true

require_relative 'secure'

RSpec.describe 'Certificates whose files change' do
  include Secure

  app = "run ->(env) { [200, {}, [Process.pid.to_s]] }\n"

  before do
    @dir = work_dir
    %w[crt key].each { |kind| replace(kind, @site) }
    @next = @authority.issue('next.test', names: %w[example.test], file: 'next')
  end

  def path(kind)
    File.join(@dir, "site.#{kind}")
  end

  # As renewals do it: a new file takes the place of the old one.
  def replace(kind, pair)
    File.write(path("#{kind}.new"), File.read(kind == 'key' ? pair.key : pair.certificate))
    File.rename(path("#{kind}.new"), path(kind))
  end

  def serve(app, *options)
    @server = boot(app, *options, '-t', '1', '-tls-cert', path('crt'), '-tls-key', path('key'), lint: false)
  end

  # Two of them, once both are up.
  def workers
    eventually(within: 10) { @server.children.size == 2 && @server.children }
  end

  def shown
    shown_to('example.test')
  end

  it 'are loaded again, without harm to connections' do
    serve(app, '-w', '2')
    before = workers
    client = secure
    expect(shown).to eq('example.test')
    replace('crt', @next)
    sleep 0.1
    replace('key', @next)
    eventually(within: 20) { Array.new(10) { shown }.uniq == ['next.test'] }
    expect(client.get.status).to eq(200)
    expect(workers).to eq(before)
    expect(@server.stderr).to include('certificates are loaded again').and include(path('crt'))
    expect(@server.stderr).not_to include('ERROR')
  end

  it 'are kept as they were when the new ones are bad, with one line in the log' do
    serve(app, '-w', '1')
    File.write(path('crt'), 'no certificate')
    @server.wait_for(/ERROR: .*#{Regexp.escape(path('crt'))}.*loaded before stays/, timeout: 20)
    sleep 5
    expect(@server.stderr.scan('ERROR').size).to eq(1)
    expect(shown).to eq('example.test')
    replace('crt', @next)
    replace('key', @next)
    eventually(within: 20) { shown == 'next.test' }
  end

  it 'are kept when they vanish' do
    serve(app, '-w', '1')
    File.unlink(path('key'))
    @server.wait_for(/ERROR: can't read the private key #{Regexp.escape(path('key'))}: No such file/, timeout: 20)
    expect(shown).to eq('example.test')
  end

  it 'are loaded at USR1, by the new workers' do
    serve(app, '-w', '2')
    before = workers
    %w[crt key].each { |kind| replace(kind, @next) }
    @server.kill(:USR1)
    eventually(within: 20) { @server.children.size == 2 && !@server.children.intersect?(before) }
    expect(Array.new(6) { shown }.uniq).to eq(['next.test'])
  end

  it 'are loaded at USR1 by a single process' do
    serve(app, '-w', '1')
    %w[crt key].each { |kind| replace(kind, @next) }
    @server.kill(:USR1)
    @server.wait_for('certificates are loaded again')
    expect(shown).to eq('next.test')
    expect(@server.stderr).not_to include('WARNING')
  end

  it 'are the new ones for a worker that replaces a dead one' do
    serve(app, '-w', '2')
    %w[crt key].each { |kind| replace(kind, @next) }
    eventually(within: 20) { Array.new(10) { shown }.uniq == ['next.test'] }
    victim = workers.first
    Process.kill(:KILL, victim)
    eventually(within: 10) { @server.children.size == 2 && !@server.children.include?(victim) }
    expect(Array.new(10) { shown }.uniq).to eq(['next.test'])
  end
end
