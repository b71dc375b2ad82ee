# frozen_string_literal: true

require 'iodine'

RSpec.describe 'A command for Redis' do
  def words(*arguments)
    Iodine::PubSub::Redis.const_get(:Command).new(arguments, nil).words
  end

  {
    ['PING'] => %w[PING],
    ['CLIENT LIST'] => %w[CLIENT LIST],
    [" SET  a\tb "] => %w[SET a b],
    ['SET', 'a key', 'a value'] => ['SET', 'a key', 'a value'],
    [:set, :key, 5, 1.5] => %w[set key 5 1.5],
    ['DEL', %w[a b]] => %w[DEL a b],
    %w[CLIENT ID] => %w[CLIENT ID],
    %w[XREAD STREAMS s 0] => %w[XREAD STREAMS s 0]
  }.each do |arguments, expected|
    it("is #{expected} for #{arguments}") { expect(words(*arguments)).to eq(expected) }
  end

  ['SUBSCRIBE a', 'psubscribe a*', 'UNSUBSCRIBE', 'MONITOR', 'multi', 'EXEC', 'WATCH k', 'AUTH p', 'HELLO 3', 'SELECT 1', 'QUIT',
   'RESET', 'CLIENT REPLY OFF', 'client tracking on'].each do |command|
    it("may not be #{command}") { expect { words(command) }.to raise_error(ArgumentError, /#{command[/\w+/].upcase}.*change/) }
  end

  ['BLPOP k 0', 'brpop k 0', 'BZPOPMIN z 0', 'WAIT 1 0', 'XREAD BLOCK 0 STREAMS s $'].each do |command|
    it("may not be #{command}") { expect { words(command) }.to raise_error(ArgumentError, /#{command[/\w+/].upcase}.*hold up/) }
  end

  it 'must be there' do
    expect { words }.to raise_error(ArgumentError, /needs a command/)
    expect { words('  ') }.to raise_error(ArgumentError, /needs a command/)
  end

  it 'is of words' do
    expect { words('SET', 'k', nil) }.to raise_error(TypeError, /not NilClass/)
    expect { words({ a: 1 }) }.to raise_error(TypeError, /not Hash/)
  end
end
