# frozen_string_literal: true

# Rack applications, as config.ru text, that several behaviour specs share.
module Apps
  # Tells what it was asked: the method and every header variable, one a line, an empty line, the body.
  MIRROR = <<~'RUBY'
    run(lambda do |env|
      told = env.select { |name, _| name.match?(/\A(HTTP_|REQUEST_|PATH_INFO|QUERY_STRING|CONTENT_|SERVER_)/) }
      lines = told.sort.map { |name, value| "#{name}=#{value}\n" }.join
      [200, { 'content-type' => 'application/octet-stream' }, [lines, "\n", env['rack.input'].read.to_s]]
    end)
  RUBY

  # Answers each request with its path, but for /seen: all paths asked so far, as one line.
  WITNESS = <<~'RUBY'
    seen = Queue.new
    run(lambda do |env|
      path = env['PATH_INFO']
      env['rack.input']&.read
      seen << path unless path == '/seen'
      body = path == '/seen' ? Array.new(seen.size) { seen.pop }.join(' ') : path
      [200, { 'content-type' => 'text/plain' }, [body]]
    end)
  RUBY

  # Each path is one way to answer.
  WAYS = <<~'RUBY'
    require 'tempfile'
    file = Tempfile.new('iodine-spec')
    file.write('f' * 200_000)
    file.close
    plain = { 'content-type' => 'text/plain' }
    big = 'b' * 3_000_000
    run(lambda do |env|
      case env['PATH_INFO']
      when '/hello' then [200, plain, ['hello']]
      when '/parts' then [200, plain, %w[one two three]]
      when '/each' then [200, plain, Enumerator.new { |out| 5.times { |n| out << "part #{n}\n" } }]
      when '/big' then [200, plain, [big]]
      when '/file'
        [200, plain.merge('content-length' => '200000'), File.open(file.path, 'rb')]
      when '/input' then [200, plain, [env['rack.input'].read.to_s.sum(32).to_s]]
      when '/none' then [204, {}, []]
      when '/same' then [304, {}, []]
      when '/raise' then raise 'on purpose'
      when '/tidy'
        GC.start
        [200, plain, []]
      else [404, plain, ['not here']]
      end
    end)
  RUBY
end
