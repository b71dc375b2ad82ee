# frozen_string_literal: true

require_relative '../tls/secure'

# USR1 where TLS is spoken: handshakes, kept connections and the next answer on them.
RSpec.describe 'A rolling restart with TLS' do
  include Secure

  it 'loses no request' do
    @server = boot("run ->(_) { [200, {}, [Process.pid.to_s]] }\n", '-w', '2', '-t', '2', *site_options, lint: false)
    before = eventually { @server.children.then { |pids| pids if pids.size == 2 } }
    port = @server.port
    context = @authority.client_context
    door = Object.new
    door.define_singleton_method(:client) do |timeout:|
      Support::RawClient.secure(port, 'example.test', context, timeout: timeout)
    end
    load = Support::Load.new(door, 12)
    eventually(within: 20) { load.answered > 50 }
    @server.kill(:USR1)
    eventually(within: 60) { @server.children.size == 2 && !@server.children.intersect?(before) }
    expect(load.finish.failures).to eq([])
  end
end
