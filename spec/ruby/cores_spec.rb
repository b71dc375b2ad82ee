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

  it 'needs no cgroups at all' do
    expect(Iodine.const_get(:Cores).count(root: root, membership: File.join(root, 'none'))).to eq(8)
  end
end
