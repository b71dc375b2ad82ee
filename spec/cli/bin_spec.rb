# frozen_string_literal: true

# The command for a clone of the repository.
RSpec.describe 'bin/iodine' do
  def boot_bin(*arguments, dir: work_dir)
    port = Support::Server.free_port
    command = [File.join(ROOT, 'bin', 'iodine'), '-b', '127.0.0.1', '-w', '1', '-t', '2', '-p', port.to_s, *arguments]
    launch(command, port: port, dir: dir, timeout: 60)
  end

  it 'serves the chat where nothing else is named, and says where it is' do
    server = boot_bin
    expect(server.stderr).to include("The chat of examples/chat: http://localhost:#{server.port}/\n")
    expect(browser(server).visit('/')).to include('<title>Chat · iodine</title>')
  end

  it 'serves config.ru of its directory, or what is named' do
    dir = work_dir
    write_file(dir, 'config.ru', Support::RubyRunner::HELLO)
    server = boot_bin(dir: dir)
    expect(server.get.status).to eq(200)
    expect(server.stderr).not_to include('examples/chat')
    expect(boot_bin(File.join(ROOT, 'examples', 'hello', 'config.ru')).get.body).to eq("Hello from iodine\n")
  end

  it 'finds the port in every spelling' do
    { %w[-port 1] => 1, %w[--port=2] => 2, %w[-p3] => 3, %w[-p=4 -v] => 4, [] => 3000 }.each do |arguments, port|
      out, = Open3.capture2e({ 'PORT' => nil }, File.join(ROOT, 'bin', 'iodine'), *arguments, '-b', '127.0.0.1', '--colour', chdir: work_dir)
      expect(out).to include("http://localhost:#{port}/\n")
    end
  end
end
