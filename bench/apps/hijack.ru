# frozen_string_literal: true

# Each connection becomes the application's own; a thread of it looks five times a second who asks again.
ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nHello World"

fresh = Queue.new
Thread.new do
  sockets = []
  loop do
    sleep 0.2
    sockets << fresh.pop until fresh.empty?
    (IO.select(sockets, nil, nil, 0) || [[]]).first.each do |socket|
      socket.readpartial(4096)
      socket.write(ANSWER)
    rescue EOFError, SystemCallError
      sockets.delete(socket.tap(&:close))
    end
  end
end

run(lambda do |env|
  socket = env['rack.hijack'].call
  socket.write(ANSWER)
  fresh << socket
  [-1, {}, []]
end)
