# frozen_string_literal: true

require_relative 'saturated_app'

RSpec.describe 'A worker without an idle thread' do
  include SaturatedApp

  before do
    boot_saturated('-w', '2', '-t', '1')
    wait_for_workers(2)
  end

  it 'leaves new connections to one that has some' do
    occupy
    clients = Array.new(30) { dial }
    pids = clients.map { |client| client.get('/here').body.split.last }
    expect(pids.uniq.size).to eq(1)
  end

  it 'accepts when all are busy' do
    clients = [occupy('/wait1'), occupy('/wait2')]
    late = dial
    expect(late.ask("OPTIONS * HTTP/1.1\r\nhost: spec\r\n\r\n").status).to eq(204)
    late.write(get('/late'))
    let_go
    expect([*clients, late].map { |client| client.receive.status }).to eq([200] * 3)
  end
end
