# frozen_string_literal: true

require_relative 'rack_app'

RSpec.describe 'what runs at the end' do
  extend RackApp

  rack_app <<~'RUBY', threads: 2
    order = []
    body_class = Class.new do
      define_method(:initialize) { |name, &parts| @name, @parts = name, parts }
      define_method(:each) { |&block| @parts ? @parts.call(block) : block.call('part') }
      define_method(:close) { order << "close #{@name}" }
    end
    lambda do |env|
      path = env['PATH_INFO']
      return [200, {}, [order.slice!(0..).join(', ')]] if path == '/order'

      env['rack.after_reply'] << -> { order << 'reply 1' } << -> { order << 'reply 2' }
      env['rack.response_finished'] << ->(e, status, headers, error) do
        order << "finished #{e.equal?(env) || e['PATH_INFO']} #{status.inspect} #{headers&.key?('x-one').inspect} #{error.class}"
      end
      case path
      when '/raise' then raise 'on purpose'
      when '/callback-raises'
        env['rack.response_finished'] << ->(*) { raise 'in finished' }
        env['rack.after_reply'].unshift(-> { raise 'in after_reply' })
      when '/replaced'
        env['rack.after_reply'] = [-> { order << 'other reply' }]
        env['rack.response_finished'] += [->(*) { order << 'last added' }]
      when '/kill' then Thread.current.kill
      when '/late' then body = body_class.new('late') { |block| block.call('a'); raise 'too late' }
      end
      [200, { 'x-one' => '1' }, body || body_class.new(path)]
    end
  RUBY

  before { get('/order') }

  def order
    eventually { get('/order').body.then { |body| body unless body.empty? } }
  end

  it 'is close, then rack.response_finished, then rack.after_reply' do
    expect(get('/plain').body).to eq('part')
    expect(order).to eq('close /plain, finished true 200 true NilClass, reply 1, reply 2')
  end

  it 'runs for each way to end' do
    dial.request('HEAD', '/head')
    expect(order).to eq('close /head, finished true 200 true NilClass, reply 1, reply 2')
  end

  it 'knows the error' do
    expect(get('/raise').status).to eq(500)
    expect(order).to eq('finished true nil nil RuntimeError, reply 1, reply 2')
    expect { get('/late') }.to raise_error(Support::RawClient::Closed)
    expect(order).to eq('close late, finished true 200 true RuntimeError, reply 1, reply 2')
  end

  it 'goes on when one of it raises' do
    expect(get('/callback-raises').status).to eq(200)
    expect(order).to eq('close /callback-raises, finished true 200 true NilClass, reply 1, reply 2')
    expect(log_with(/in after_reply/)).to include('GET /callback-raises: in finished')
  end

  it 'is what the application left in env' do
    get('/replaced')
    expect(order).to eq('close /replaced, last added, finished true 200 true NilClass, other reply')
  end

  it 'runs in a thread that is killed' do
    expect(get('/kill').status).to eq(500)
    expect(order).to eq('finished true nil nil NilClass, reply 1, reply 2')
  end
end
