# frozen_string_literal: true

require 'etc'
require 'iodine'

RSpec.describe 'the number of cores' do
  let(:root) { work_dir }

  before { allow(Etc).to receive(:nprocessors).and_return(8) }

  # @param files [Hash] of the cgroup tree
  def count(membership, files)
    files.each { |name, text| write_file(root, name, text) }
    Iodine.const_get(:Cores).count(root: root, membership: write_file(root, 'membership', membership))
  end

  it 'is the number of processors without a quota' do
    expect(count("0::/\n", 'cpu.max' => "max 100000\n")).to eq(8)
  end

  it "is version 2's quota, rounded up" do
    expect(count("0::/\n", 'cpu.max' => "250000 100000\n")).to eq(3)
  end

  it 'is at least 1' do
    expect(count("0::/\n", 'cpu.max' => "10000 100000\n")).to eq(1)
  end

  it 'is never more than there are processors' do
    expect(count("0::/\n", 'cpu.max' => "1600000 100000\n")).to eq(8)
  end

  it 'is the smallest quota of the group and those around it' do
    expect(count("0::/a/b\n", 'a/b/cpu.max' => '500000 100000', 'a/cpu.max' => '200000 100000')).to eq(2)
  end

  it "is the container's own quota, whose path outside can't be seen" do
    expect(count("0::/system.slice/docker-1\n", 'cpu.max' => '200000 100000')).to eq(2)
  end

  it "is version 1's quota" do
    files = { 'cpu/a/cpu.cfs_quota_us' => "150000\n", 'cpu/a/cpu.cfs_period_us' => "50000\n" }
    expect(count("9:pids:/\n1:cpu,cpuacct:/a\n", files)).to eq(3)
  end

  it 'has no quota in version 1 with -1' do
    files = { 'cpu/cpu.cfs_quota_us' => "-1\n", 'cpu/cpu.cfs_period_us' => "100000\n" }
    expect(count("1:cpu:/\n", files)).to eq(8)
  end

  describe 'and of workers by default' do
    def workers(membership, files)
      files.each { |name, text| write_file(root, name, text) }
      cores = Iodine.const_get(:Cores)
      limits = { root: root, membership: write_file(root, 'membership', membership) }
      [cores.workers(**limits), cores.shortage(**limits)]
    end

    it 'is lowered where a memory limit leaves too little for each, and says so' do
      count, reason = workers("0::/a/b\n", 'a/b/memory.max' => "max\n", 'a/memory.max' => "#{1 << 30}\n", 'cpu.max' => 'max 100000')
      expect(count).to eq(4)
      expect(reason).to eq('8 cores, but a memory limit of 1024 MB: 4 workers by default, with 256 MB or more each; -w sets another')
    end

    it 'is 1 at least, also in version 1' do
      files = { 'memory/a/memory.limit_in_bytes' => "#{100 << 20}\n", 'memory/memory.limit_in_bytes' => "9223372036854771712\n" }
      expect(workers("7:memory:/a\n", files)).to match([1, /limit of 100 MB: 1 worker by default/])
    end

    it 'is the number of cores without a limit' do
      expect(workers("0::/\n", 'memory.max' => "max\n")).to eq([8, nil])
      expect(workers("7:memory:/\n", 'memory/memory.limit_in_bytes' => "9223372036854771712\n")).to eq([8, nil])
      expect(workers("0::/\n", 'memory.max' => (8 << 30).to_s)).to eq([8, nil])
    end

    it 'is in the banner, unless somebody has set a number' do
      limited = write_file(work_dir, 'limited.rb', <<~RUBY)
        Iodine.const_get(:Cgroup).define_method(:memory) { 100 << 20 }
        Iodine.const_get(:Cgroup).define_method(:processors) { nil }
        require 'etc'
        Etc.define_singleton_method(:nprocessors) { 3 }
      RUBY
      server = boot_hello('-C', limited)
      server.wait_for(/INFO: 1 worker × 4 threads.*\nINFO: 3 cores, but a memory limit of 100 MB: 1 worker by/)
      server = boot_hello('-C', limited, '-w', '2', '-t', '1')
      server.wait_for(/INFO: 2 workers × 1 thread.*\n.*listening on/)
      expect(server.stderr).not_to match(/memory/)
    end
  end

  it 'needs no cgroups at all' do
    expect(Iodine.const_get(:Cores).count(root: root, membership: File.join(root, 'none'))).to eq(8)
  end
end
