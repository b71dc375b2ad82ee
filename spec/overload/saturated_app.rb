# frozen_string_literal: true

# An application whose /wait answers when the example lets it.
module SaturatedApp
  SOURCE = <<~'RUBY'
    text = { 'content-type' => 'text/plain' }
    run(lambda do |env|
      path = env['PATH_INFO']
      File.write("#{path.tr('/', '_')}.seen", Process.pid.to_s)
      if path.start_with?('/wait')
        env['rack.response_finished'] << ->(*) { File.write('finished', 'x', mode: 'a') }
        sleep 0.005 until File.exist?('go')
      end
      [200, text, ["#{path} #{Process.pid} #{env['rack.input']&.read}"]]
    end)
  RUBY

  # Boots it, in a folder of its own: there it waits for the file `go`, and leaves a file `_path.seen` for each request.
  def boot_saturated(*args, **options)
    @dir = work_dir
    source = "Dir.chdir(#{@dir.inspect})\n#{SOURCE}"
    @server = boot(source, *args, lint: false, **options)
  end

  # Until each worker has answered. The connections are held meanwhile, so that each gets its share.
  def wait_for_workers(count)
    clients = []
    eventually(within: 20) do
      clients << @server.client
      clients.last.get
      clients.map { |client| client.get.body[/\d+/] }.uniq.size == count
    end
  ensure
    clients.each(&:close)
  end

  def let_go
    File.write(File.join(@dir, 'go'), '')
  end

  def seen?(path)
    File.exist?(File.join(@dir, "#{path.tr('/', '_')}.seen"))
  end

  # A client whose request keeps a thread of the application busy.
  def occupy(path = '/wait')
    client = dial(timeout: 20).write(get(path))
    eventually { seen?(path) }
    client
  end

  # A client whose request waits in the queue: whatever the server answers itself after it shows that it was read.
  def enqueue(request, &change)
    client = dial(timeout: 20).write(request)
    change&.call(client)
    dial { |other| other.ask("OPTIONS * HTTP/1.1\r\nhost: spec\r\n\r\n") }
    client
  end

  def get(path, method = 'GET', version = '1.1')
    "#{method} #{path} HTTP/#{version}\r\nhost: spec\r\n\r\n"
  end
end
