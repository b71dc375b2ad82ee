# frozen_string_literal: true

RSpec.describe 'Iodine.on_error' do
  def serve(handler)
    boot(<<~RUBY, '-w', '1', '-t', '1', lint: false)
      Iodine.on_error #{handler}
      run ->(_env) { raise 'no luck' }
    RUBY
  end

  it 'gives the response' do
    handler = "{ |error, env| [503, { 'content-type' => 'text/plain' }, [error.message, env['PATH_INFO']]] }"
    response = serve(handler).get('/path')
    expect([response.status, response.body]).to eq([503, 'no luck/path'])
  end

  it 'leaves it to the default with nil' do
    expect(serve('{ nil }').get.status).to eq(500)
  end

  it 'may fail itself' do
    server = serve("{ raise 'even worse' }")
    expect(server.get.status).to eq(500)
    server.wait_for(/ERROR: on_error: even worse/)
  end

  it 'needs a block' do
    expect(ruby_output('begin; Iodine.on_error; rescue ArgumentError; print :refused; end')).to eq('refused')
  end
end
