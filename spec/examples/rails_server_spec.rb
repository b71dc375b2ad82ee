# frozen_string_literal: true

# A copy of examples/rails, changed as its owner would, by `rails server` and by `iodine`.
RSpec.describe 'A Rails application' do
  let(:app) do
    work_dir.tap { |dir| FileUtils.cp_r(Dir[File.join(ROOT, 'examples', 'rails', '{app,bin,config,config.ru,db,lib,public}')], dir) }
  end
  let(:env) { { 'NOTEBOOK_STORAGE' => work_dir, 'RACK_ENV' => nil } }
  let(:port) { Support::Server.free_port }

  def rails_server(*arguments, **more)
    command = [*ruby, File.join(app, 'bin', 'rails'), 'server', '-P', File.join(app, 'server.pid'), *arguments]
    launch(command, port: port, env: env.merge(more), dir: app, timeout: 60)
  end

  it 'is served by rails server, with Puma in the Gemfile too; its initializer knows what the file says' do
    write_file(app, 'config/iodine.rb', "port #{port}\nbind '127.0.0.1'\nthreads 3\nmax_body 7\non_start { warn 'it serves' }\n")
    write_file(app, 'config/initializers/server.rb', <<~RUBY)
      warn "the initializer sees \#{Iodine.threads}, \#{Iodine::DEFAULT_SETTINGS[:max_body]}"
      Iodine.threads = 5 if Iodine.threads.zero?
      Iodine.workers = 2 if Iodine.workers.zero?
      Iodine::DEFAULT_SETTINGS[:max_body] = 8
      Rails.logger.level = :info
    RUBY
    server = rails_server('BUNDLE_GEMFILE' => File.join(ROOT, 'gemfiles', 'puma.gemfile'))
    server.wait_for(/2 workers × 3 threads/)
    expect(server.stderr).to include('the initializer sees 3, 7')
    expect(server.stderr).not_to match(/deprecated/i)
    expect(browser(server).visit('/')).to include('Notebook')
    eventually { server.stderr.scan('it serves').size == 2 }
    dial(server) do |client|
      client.write("POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 8500000\r\n\r\n")
      expect(client.receive.status).to eq(413)
    end
    server.kill(:USR1)
    server.wait_for(/^worker \d+ takes the place of worker \d+$/, timeout: 60) # as Rails' logger writes it
  end

  it 'is told its own numbers where nobody else has said any, by the program iodine as well' do
    write_file(app, 'config/initializers/server.rb', "Iodine.threads = 5 if Iodine.threads.zero?\nIodine.workers = 1\n")
    server = boot_cli('-p', port.to_s, 'config.ru', env: env, dir: app, timeout: 60)
    server.wait_for(/1 worker × 5 threads/)
    server.kill
    server.wait
    write_file(app, 'config/iodine.rb', "\nbind '127.0.0.1'\nthreadz 3\n")
    refused = launch([*ruby, File.join(app, 'bin', 'rails'), 'server', '-u', 'iodine'], port: nil, env: env, dir: app)
    expect(refused.wait(timeout: 60).exitstatus).to eq(64)
    expect(refused.stderr).to match(%r{^iodine: config/iodine\.rb:3: unknown setting threadz: did you mean threads\?$})
  end

  it 'loads its code again in development while many threads serve it' do
    page = ->(word) { "class NotesController < ApplicationController\n  def index = render(plain: '#{word} ' + Note.count.to_s)\nend\n" }
    write_file(app, 'app/controllers/notes_controller.rb', page.call('one'))
    server = rails_server('-u', 'iodine', '-b', '127.0.0.1', '-p', port.to_s)
    seen = Queue.new
    stop = false
    clients = Array.new(6) { Thread.new { seen << server.client(timeout: 60).get('/', 'connection' => 'close') until stop } }
    answer = lambda do
      response = seen.pop
      expect([response.status, response.body]).to match([200, /\A(one|two|three|four) 0\z/])
      response.body
    end
    %w[two three four].each do |word|
      eventually(within: 60) { seen.size > 10 }
      answer.call until seen.empty?
      write_file(app, 'app/controllers/notes_controller.rb', page.call(word))
      eventually(within: 60) { answer.call == "#{word} 0" }
    end
    stop = true
    clients.each(&:join)
    answer.call until seen.empty?
    expect(server.get.body).to eq('four 0')
  end
end
