# frozen_string_literal: true

require_relative 'listener'

RSpec.describe 'examples/client' do
  # The program, with a pipe for a keyboard.
  def start(*arguments)
    input, keyboard = IO.pipe
    out, screen = IO.pipe
    command = [*ruby, File.join(ROOT, 'examples', 'client', 'client.rb'), *arguments, "http://127.0.0.1:#{@server.port}"]
    pid = Process.spawn(*command, in: input, out: screen, err: File::NULL)
    [input, screen].each(&:close)
    cleanups << lambda do
      keyboard.close unless keyboard.closed?
      Process.kill(:KILL, pid) unless @ended
      Process.wait(pid) unless @ended
    end
    @pid = pid
    [keyboard, out]
  end

  def wait_for_line(out, line)
    deadline = Support::Deadline.new(20, line)
    read = []
    loop do
      raise "no #{line.inspect} in #{read}" unless out.wait_readable(deadline.left)

      read << out.gets(chomp: true)
      return if read.last == line
    end
  end

  def boot_chat(*arguments)
    boot_cli('-w', '1', '-t', '2', *arguments, File.join(ROOT, 'examples', 'chat', 'config.ru'))
  end

  def say(text)
    body = JSON.generate(name: 'Bob', user: 'bob', room: 'tea', text: text)
    curl('--data-binary', body, "http://127.0.0.1:#{@server.port}/say")
  end

  it 'is in the chat, and comes back when the server does' do
    @server = boot_chat
    say('before')
    keyboard, out = start('Ann', 'tea')
    wait_for_line(out, '* connected')
    wait_for_line(out, '* Ann is in tea')
    wait_for_line(out, 'Bob: before')
    stream = events('/live?name=Cy&user=cy&room=tea')
    keyboard.puts('hello <b>')
    expect(stream.wait { |event| event.json['type'] == 'line' && event.json['name'] == 'Ann' }.json['text']).to eq('hello <b>')
    wait_for_line(out, 'Ann: hello <b>')
    @server.kill
    @server.wait
    wait_for_line(out, '* not connected: trying again in 1 s')
    wait_for_line(out, '* not connected: trying again in 2 s')
    @server = boot_chat('-p', @server.port.to_s)
    wait_for_line(out, '* connected')
    say('after')
    wait_for_line(out, 'Bob: after')
    keyboard.close
    eventually(within: 20) { Process.wait(@pid, Process::WNOHANG) }
    @ended = true
  end
end
