# frozen_string_literal: true

require 'iodine'

RSpec.describe 'settings' do
  after { Iodine.threads = Iodine.workers = 0 }

  { threads: 4096, workers: 512 }.each do |name, too_many|
    describe "Iodine.#{name}" do
      it 'is 0 until it is set' do
        expect(ruby_output("print Iodine.#{name}")).to eq('0')
      end

      it 'keeps what it was set to' do
        [1, too_many - 1, -2].each do |number|
          Iodine.public_send(:"#{name}=", number)
          expect(Iodine.public_send(name)).to eq(number)
        end
      end

      it 'refuses what is out of range' do
        expect { Iodine.public_send(:"#{name}=", too_many) }.to raise_error(RangeError, /#{name}.*#{too_many - 1}/)
      end

      it 'refuses what is no Integer' do
        [nil, '4', 4.0, :four].each do |value|
          expect { Iodine.public_send(:"#{name}=", value) }.to raise_error(TypeError, /#{name} must be an Integer/)
        end
      end
    end
  end

  describe 'the environment' do
    {
      { 'THREADS' => '3' } => '3 0', { 'RAILS_MAX_THREADS' => '5' } => '5 0',
      { 'THREADS' => '3', 'RAILS_MAX_THREADS' => '5' } => '3 0', { 'WORKERS' => '2' } => '0 2',
      { 'WEB_CONCURRENCY' => '-2' } => '0 -2', { 'WORKERS' => '2', 'WEB_CONCURRENCY' => '3' } => '0 3',
      { 'THREADS' => '' } => '0 0'
    }.each do |env, numbers|
      it "is read at require: #{env}" do
        expect(ruby_output('print Iodine.threads, " ", Iodine.workers', env: env)).to eq(numbers)
      end
    end

    it 'is ignored with a warning where it makes no sense' do
      %w[many 4096].each do |value|
        out, err, = run_ruby('print Iodine.threads', env: { 'THREADS' => value })
        expect(out).to eq('0')
        expect(err).to match(/\AWARNING: THREADS="#{value}".*ignored.*\n\z/)
      end
    end

    it 'sets the default port and address' do
      out = ruby_output('print Iodine::DEFAULT_SETTINGS.values_at(:port, :address)',
                        env: { 'PORT' => '4321', 'ADDRESS' => '::1' })
      expect(out).to eq('["4321", "::1"]')
      expect(ruby_output('print Iodine::DEFAULT_SETTINGS.values_at(:port, :address)')).to eq('[3000, nil]')
    end
  end

  describe 'how many threads and workers a start has' do
    def cores
      Iodine.const_get(:Cores).count
    end

    def resolved(threads, workers)
      code = "Iodine.threads, Iodine.workers = #{threads}, #{workers}; p Iodine.const_get(:Settings).concurrency"
      ruby_output(code).strip
    end

    it 'is one worker for each core with 4 threads, if neither is set' do
      expect(resolved(0, 0)).to eq("[4, #{cores}]")
    end

    it 'is 1 for the one that is not set' do
      expect(resolved(7, 0)).to eq('[7, 1]')
      expect(resolved(0, 3)).to eq('[1, 3]')
    end

    it 'is a fraction of the cores for a negative number, at least 1' do
      expect(resolved(-1, -1000)).to eq("[#{cores}, 1]")
    end
  end

  it 'has one Hash of defaults under two names' do
    expect(Iodine::DEFAULT_HTTP_ARGS).to equal(Iodine::DEFAULT_SETTINGS)
    expect(Iodine::DEFAULT_SETTINGS).not_to be_frozen
  end

  it "knows 0.2's name of workers" do
    Iodine.processes = 3
    expect([Iodine.workers, Iodine.processes]).to eq([3, 3])
  end

  it 'has a verbosity' do
    expect(ruby_output('p Iodine.verbosity; Iodine.verbosity = 2; p Iodine.verbosity')).to eq("4\n2\n")
  end
end
