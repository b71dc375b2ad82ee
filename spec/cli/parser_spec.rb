# frozen_string_literal: true

require 'iodine'
require 'iodine/cli'

RSpec.describe 'the command line' do
  def values(*arguments)
    Iodine::CLI::Parser.new(arguments).values
  end

  def error(*arguments)
    values(*arguments)
    nil
  rescue Iodine::CLI::Option::Error => e
    e.message
  end

  it 'takes a value in each form' do
    [%w[-p 80], %w[-p=80], %w[-p80], %w[-port 80], %w[-port=80], %w[-port80], %w[--port 80], %w[--port=80],
     %w[--p 80]].each do |form|
      expect(values(*form)).to eq(port: 80), form.inspect
    end
  end

  it 'takes every alias' do
    {
      port: %w[p port], timeout: %w[k keep-alive tout], max_body: %w[maxbd max-body], max_headers: %w[maxhd max-header],
      threads: %w[t threads], workers: %w[w workers], verbosity: %w[V verbosity]
    }.each do |key, names|
      names.product(['-', '--']).each { |name, dash| expect(values("#{dash}#{name}", '4')).to eq(key => 4) }
    end
    %w[C config].each { |name| expect(values("-#{name}", 'x.rb')).to eq(config: 'x.rb') }
    %w[pid pidfile].each { |name| expect(values("-#{name}", 'x.pid')).to eq(pid: 'x.pid') }
    %w[warmup preload].each { |name| expect(values("--#{name}")).to eq(warmup: true) }
    %w[? h help].each { |name| expect(values("-#{name}")).to eq(help: true) }
    %w[v log].each { |name| expect(values("-#{name}")).to eq(log: true) }
    expect(values('-e', 'production')).to eq(environment: 'production')
  end

  it 'takes negative numbers' do
    [%w[-t -2], %w[-t=-2], %w[-t-2], %w[--threads -2]].each { |form| expect(values(*form)).to eq(threads: -2) }
  end

  it 'gathers what repeats, and takes the last of what does not' do
    expect(values('-b', '127.0.0.1', '-address=http://:80', '--bind',
                  'unix:///x?a=b')).to eq(address: ['127.0.0.1', 'http://:80', 'unix:///x?a=b'])
    expect(values('-p', '1', '-p', '2')).to eq(port: 2)
  end

  it 'takes a value with = in it' do
    expect(values('-bhttp://x/?a=b')).to eq(address: ['http://x/?a=b'])
  end

  it 'keeps what is no option' do
    parser = Iodine::CLI::Parser.new(%w[-p 80 app.ru -v -- -x])
    expect(parser.files).to eq(%w[app.ru -x])
    expect(parser.values).to eq(port: 80, log: true)
  end

  {
    %w[-p many] => /\A-p needs a number from 0 to 65535, not "many"\z/, %w[-p 65536] => /65535/, %w[-p -1] => /65535/,
    %w[-p] => /-p needs a value/, %w[-p=] => /-p needs a value/, %w[-p -w 2] => /-p needs a value/,
    %w[-px] => /-p needs a number/, %w[-t 4096] => /4095/, %w[-w 512] => /511/, %w[-w 99999999999999999999] => /511/,
    %w[-V 6] => /0 to 5/, %w[-k 1.5] => /-k needs a number/, %w[-maxbd 0] => /-maxbd needs a number from 1/,
    %w[-v=1] => /-v takes no value/, %w[-vx] => /unknown option -vx/, %w[--colour] => /unknown option --colour/
  }.each do |arguments, message|
    it("refuses #{arguments.join(' ')}") { expect(error(*arguments)).to match(message) }
  end

  it 'has each name once' do
    names = Iodine::CLI::OPTIONS.flat_map(&:names)
    expect(names.tally.select { |_, count| count > 1 }).to be_empty
  end
end
