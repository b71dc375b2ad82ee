# frozen_string_literal: true

require 'iodine'

# The accounts of what is published, without a Redis.
RSpec.describe 'What is published by way of Redis' do
  redis = Iodine::PubSub::Redis

  let(:heard) { [] }
  let(:names) { redis.const_get(:Names).new }
  let(:ledger) do
    redis.const_get(:Ledger).new(redis.const_get(:Latch).new, names) { |channel, payload| heard << [channel, payload] }
  end

  def messages
    heard.map(&:last)
  end

  # All names told and confirmed.
  def go_online(*channels)
    channels.each { |channel| ledger.subscribe(channel, false) }
    ledger.join
    names.open(:subscriber)
    tell_names
    confirm
    ledger.online
  end

  def tell_names
    names.take(ledger.number)
  end

  # Redis answers all that it owes.
  def confirm
    while names.answers?
      number = names.answered
      ledger.give_up(number)
    end
  end

  def publish(*payloads, to: 'a')
    payloads.each { |payload| ledger.publish(to, payload) }
  end

  def send_all(late: false)
    sent = ledger.take(late: late)
    ledger.answered(sent.map { 1 })
    sent.map(&:payload)
  end

  it 'is delivered at once while Redis is away, and sent later without an echo' do
    publish('1', '2')
    expect(messages).to eq(%w[1 2])
    expect(send_all).to eq([])
    expect(send_all(late: true)).to eq(%w[1 2])
    go_online('a')
    expect([send_all, messages]).to eq([[], %w[1 2]])
  end

  it 'is held while the names are subscribed, and delivered by its echo' do
    publish('1')
    ledger.join
    publish('2')
    expect(send_all(late: true)).to eq(%w[1])
    expect([send_all(late: true), messages]).to eq([[], %w[1]])
    go_online('a')
    expect(send_all).to eq(%w[2])
    ledger.hear('a', '2')
    expect(messages).to eq(%w[1 2])
  end

  it 'is delivered once when the connections break before its echo' do
    go_online('a')
    publish('1', '2', '3')
    ledger.take
    ledger.hear('a', '1')
    publish('4')
    ledger.fall
    expect(messages).to eq(%w[1 2 3 4])
    expect(send_all(late: true)).to eq(%w[2 3 4])
    expect(ledger.size).to eq(0)
  end

  it 'is not sent again when Redis has answered, though no echo came' do
    go_online('a')
    publish('1')
    send_all
    ledger.fall(sent: false)
    expect([messages, send_all(late: true)]).to eq([%w[1], []])
  end

  it 'is not sent again when Redis answers after the other connection broke' do
    go_online('a')
    publish('1')
    ledger.take
    ledger.fall(sent: false)
    expect([messages, ledger.size]).to eq([%w[1], 1])
    ledger.answered([1])
    ledger.fall
    expect([messages, send_all(late: true)]).to eq([%w[1], []])
  end

  it 'reaches this cluster when Redis refuses it' do
    go_online('a')
    publish('1', '2')
    ledger.take
    message, error = ledger.answered([StandardError.new('NOPERM'), 1])
    expect([message.payload, error.message, messages]).to eq(%w[1 NOPERM] << %w[1])
    ledger.hear('a', '2')
    expect(messages).to eq(%w[1 2])
  end

  it 'comes from other clusters in between' do
    go_online('a', 'b')
    publish('1', '2')
    publish('3', to: 'b')
    send_all
    [%w[a x], %w[b 3], %w[a 1], %w[b x], %w[a 2]].each { |channel, payload| ledger.hear(channel, payload) }
    ledger.fall
    expect(heard).to eq([%w[a x], %w[b 3], %w[a 1], %w[b x], %w[a 2]])
  end

  it 'waits until Redis has confirmed the names that were subscribed before' do
    go_online('a')
    publish('1')
    ledger.subscribe('b', false)
    publish('2')
    expect(send_all).to eq(%w[1])
    tell_names
    expect(send_all).to eq([])
    confirm
    expect(send_all).to eq(%w[2])
  end

  it 'waits for all names when the first one opens the connection' do
    go_online
    names.close
    expect(publish('1') && send_all).to eq(%w[1])
    ledger.subscribe('a', false)
    publish('2')
    expect(send_all).to eq([])
    names.open(:subscriber)
    expect(send_all).to eq([])
    tell_names
    expect(send_all).to eq([])
    confirm
    expect(send_all).to eq(%w[2])
  end

  it 'is not on its way while a name is told, so that it is certain whether it has an echo' do
    go_online('a')
    publish('1', to: 'b')
    ledger.subscribe('b', false)
    publish('2', to: 'b')
    expect(send_all).to eq(%w[1])
    tell_names
    confirm
    expect(send_all).to eq(%w[2])
    ledger.hear('b', '2')
    names.ping(ledger.number)
    confirm
    expect(heard).to eq([%w[b 1], %w[b 2]])
  end

  it 'is not waited for when a PING tells that no echo is to come' do
    go_online('a')
    publish('1', to: 'nobody')
    send_all
    expect(ledger).to be_missing
    names.ping(ledger.number)
    confirm
    expect([ledger.missing?, messages]).to eq([false, []])
  end

  it 'is delivered then, if its name was denied' do
    go_online('a')
    ledger.subscribe('secret', false)
    tell_names
    expect(names.refused.last).to eq('secret')
    publish('1', to: 'secret')
    send_all
    names.ping(ledger.number)
    confirm
    expect(heard).to eq([%w[secret 1]])
  end

  it 'reaches a subscriber of whom we are told just after it' do
    go_online('a')
    publish('1', to: 'room:1')
    publish('2', to: 'room:2')
    send_all
    names.ping(ledger.number)
    confirm
    ledger.subscribe('room:2', false)
    expect(heard).to eq([%w[room:2 2]])
    ledger.subscribe('room:[1-3]', true)
    expect(heard).to eq([%w[room:2 2], %w[room:1 1]])
  end

  it 'reaches the very first subscriber of whom we are told just after it' do
    go_online
    names.close
    publish('1', to: 'room:1')
    send_all
    ledger.subscribe('room:1', false)
    expect(heard).to eq([%w[room:1 1]])
  end

  it 'is not kept for later subscribers' do
    go_online('a')
    publish(*Array.new(1500, 'x'), to: 'room')
    3.times { send_all }
    names.ping(ledger.number)
    confirm
    clock = Iodine.const_get(:Clock)
    allow(clock).to receive(:now).and_return(clock.now + 0.6)
    publish('y', to: 'room')
    send_all
    names.ping(ledger.number)
    confirm
    ledger.subscribe('room', false)
    expect(messages).to eq(%w[y])
  end

  it 'is limited to 10,000 messages while Redis is away: the oldest go, and are counted' do
    ledger.fall
    publish(*('1'..'10007'))
    expect([messages.size, ledger.size, ledger.take_lost, ledger.take_lost]).to eq([10_007, 10_000, 7, 0])
    expect(send_all(late: true).first).to eq('8')
  end

  it 'is limited to 16 MB while Redis is away' do
    ledger.fall
    publish(*Array.new(17) { |index| index.to_s.rjust(1 << 20) })
    expect([messages.size, ledger.size, ledger.take_lost]).to eq([17, 15, 2]) # the names count, too
  end

  it 'is not limited so before it is known that Redis is away, nor while it is there' do
    publish(*('1'..'10007'))
    expect([ledger.size, ledger.take_lost]).to eq([10_007, 0])
  end

  it 'goes in batches, a large message in one of its own' do
    publish(*('1'..'501'), 'x' * 300_000, 'y')
    expect(Array.new(4) { send_all(late: true).size }).to eq([500, 1, 1, 1])
  end

  it 'is text if that is valid UTF-8, else binary' do
    publish('é'.b, "\xFF", 'x'.encode('UTF-16LE'))
    expect(messages.map(&:encoding)).to eq([Encoding::UTF_8, Encoding::BINARY, Encoding::UTF_8])
    expect(messages.first).to eq('é')
  end

  it 'stays what it was when the application changes the String' do
    text = +'before'
    publish(text)
    text << ' and after'
    expect([messages, send_all(late: true)]).to eq([%w[before], %w[before]])
  end

  it 'does not end what delivers it when that fails' do
    failing = redis.const_get(:Ledger).new(redis.const_get(:Latch).new, names) { raise 'too large' }
    expect { failing.publish('a', '1') }.to output(/ERROR: a message of Redis could not be delivered: too large/).to_stderr_from_any_process
    expect(failing.size).to eq(1)
  end

  # One cluster, driven as its threads do it but in any order, and a Redis that may break either connection at any moment.
  class Chaos
    STEPS = %i[publish publish flow flow flow flow pump pump answer hear hear hear foreign toggle reconnect break_publisher
               break_subscriber].freeze

    attr_reader :published, :remote, :unsure, :since

    def initialize(random, ledger, names)
      @random = random
      @ledger = ledger
      @names = names
      @published = [] # channels, texts, and when
      @remote = [] # what other clusters get
      @unsure = [] # what was on its way when a connection broke
      @since = nil # when the name that changes was subscribed
      @sent = []
      @executed = 0
      disconnect
    end

    def step
      send(STEPS.sample(random: @random))
    end

    def finish
      @since || toggle
      reconnect
      STEPS.first(12).grep_v(/publish/).each { |name| send(name) } until quiet?
    end

    private

    def quiet?
      (@ledger.size + @stream.size + @commands.size).zero? && @names.known?(@names.turn) && !@ledger.missing?
    end

    def publish
      @published << [%w[always changing never].sample(random: @random), @published.size.to_s]
      @ledger.publish(*@published.last)
    end

    def foreign
      reach('always', 'foreign')
    end

    def toggle
      @since ? @names.remove('changing', false) : @ledger.subscribe('changing', false)
      @since = @since ? nil : @published.size
    end

    # Redis does the next thing that came on either connection.
    def flow
      commands = @commands.any? && (@executed == @sent.size || @random.rand(2).zero?)
      return obey(*@commands.shift) if commands
      return if @executed == @sent.size

      @executed += 1
      message = @sent[@executed - 1]
      @remote << [message.channel, message.payload]
      reach(*@remote.last)
    end

    def obey(verb, *changed)
      @known |= changed if verb == 'SUBSCRIBE'
      @known -= changed if verb == 'UNSUBSCRIBE'
      @stream.concat([:answer] * [changed.size, 1].max)
    end

    def reach(channel, text)
      @stream << [channel, text] if @known.include?(channel)
    end

    # What a session does with its turn.
    def pump
      return if @sent.any? || !@names.open?

      take
      @commands.concat(@names.take(@ledger.number)) if @sent.empty?
      return if @names.ping? || @sent.any?

      @names.ping(@ledger.number)
      @commands << ['PING']
    end

    def take(late: false)
      @sent = @ledger.take(late: late)
      @executed = 0
    end

    def answer
      return unless @sent.any? && @executed == @sent.size

      @ledger.answered(@sent.map { 1 })
      @sent = []
      @executed = 0
    end

    def hear
      event = @stream.shift
      event == :answer ? @ledger.give_up(@names.answered) : event && @ledger.hear(*event)
    end

    def break_publisher
      hear until @stream.empty? || @random.rand(5).zero? # a Redis that hangs may not be heard out
      @unsure.concat(@sent.first(@executed).map(&:payload))
      @sent = []
      @executed = 0
      @ledger.fall
      disconnect
    end

    def break_subscriber
      @ledger.fall(sent: false) if @names.open?
      disconnect
    end

    def disconnect
      @known = []
      @stream = []
      @commands = []
    end

    def reconnect
      return if @names.open?

      break_publisher
      late
      @ledger.join
      @random.rand(3).times { publish }
      late
      @names.open(:subscriber)
      @random.rand(3).times { publish }
      until @names.known?(0)
        pump
        flow
        hear
      end
      @ledger.online
    end

    def late
      while take(late: true).zero? && @sent.any?
        flow until @executed == @sent.size
        answer
      end
    end
  end

  it 'is delivered here exactly once and in order, elsewhere at least once, whatever breaks' do
    300.times do |seed|
      heard = []
      names = redis.const_get(:Names).new
      ledger = redis.const_get(:Ledger).new(redis.const_get(:Latch).new, names) { |*words| heard << words }
      ledger.subscribe('always', false)
      chaos = Chaos.new(Random.new(seed), ledger, names)
      300.times { chaos.step }
      chaos.finish
      own = heard.reject { |_, text| text == 'foreign' }
      of = ->(all, channel) { all.select { |name, _| name == channel } }
      expect(of.call(own, 'always')).to eq(of.call(chaos.published, 'always')), "seed #{seed}"
      subscribed = chaos.published.drop(chaos.since)
      expect(of.call(own & subscribed, 'changing')).to eq(of.call(subscribed, 'changing')), "seed #{seed}"
      expect(own.uniq).to eq(own), "seed #{seed}"
      expect(chaos.remote.uniq).to match_array(chaos.published), "seed #{seed}"
      twice = chaos.remote.tally.select { |_, count| count > 1 }.keys.map(&:last)
      expect(twice - chaos.unsure).to eq([]), "seed #{seed}"
    end
  end
end
