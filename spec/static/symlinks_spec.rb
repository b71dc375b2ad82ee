# frozen_string_literal: true

require_relative '../support/folders'

# Symbolic links: followed, unless --no-symlinks keeps them inside.
RSpec.describe 'Symbolic links in the folder of static files' do
  before(:context) do
    root = work_dir
    @folder = Folders.fill(File.join(root, 'public'), 'a.txt' => 'inside', 'sub/b.txt' => 'deep')
    Folders.fill(root, 'shared/assets/app.js' => 'shared', 'secret.txt' => 'outside')
    {
      'assets' => '../shared/assets', 'inside.txt' => 'a.txt', 'sub/up.txt' => '../a.txt', 'sub/far.txt' => '../../public/a.txt',
      'out.txt' => '../secret.txt', 'absolute.txt' => File.join(root, 'secret.txt'), 'home.txt' => File.join(@folder, 'a.txt'),
      'loop.txt' => 'loop.txt', 'ring1' => 'ring2', 'ring2' => 'ring1', 'chain.txt' => 'inside.txt', 'folder' => 'sub',
      'dangling.txt' => 'nowhere', 'etc' => '/etc', 'long.txt' => "#{'./' * 1000}a.txt"
    }.each { |name, target| File.symlink(target, File.join(@folder, name)) }
    File.symlink(@folder, File.join(root, 'current'))
    @free = boot_cli('-w', '1', '-www', File.join(root, 'current'), dir: root)
    @kept = boot_cli('-w', '1', '-www', File.join(root, 'current'), '--no-symlinks', dir: root)
  end

  inside = { '/a.txt' => 'inside', '/inside.txt' => 'inside', '/sub/up.txt' => 'inside', '/chain.txt' => 'inside',
             '/folder/b.txt' => 'deep', '/long.txt' => 'inside' }
  outside = { '/assets/app.js' => 'shared', '/out.txt' => 'outside', '/absolute.txt' => 'outside', '/home.txt' => 'inside',
              '/sub/far.txt' => 'inside' }

  inside.each do |path, body|
    it("that stay inside are followed: #{path}") { expect([@free.get(path).body, @kept.get(path).body]).to eq([body, body]) }
  end

  outside.each do |path, body|
    it "that lead out are followed, but not with --no-symlinks: #{path}" do
      expect([@free.get(path).body, @kept.get(path).status]).to eq([body, 404])
    end
  end

  %w[/loop.txt /ring1 /dangling.txt].each do |path|
    it("that lead nowhere are nothing: #{path}") { expect([@free.get(path).status, @kept.get(path).status]).to eq([404, 404]) }
  end

  it 'of a deployment are looked up again: the folder itself may be one' do
    root = work_dir
    Folders.fill(root, 'old/a.txt' => 'old', 'new/a.txt' => 'new')
    current = File.join(root, 'current')
    File.symlink('old', current)
    servers = [boot_cli('-w', '1', '-www', current, dir: root), boot_cli('-w', '1', '-www', current, '--no-symlinks', dir: root)]
    expect(servers.map { |server| server.get('/a.txt').body }).to eq(%w[old old])
    File.symlink('new', "#{current}.next")
    File.rename("#{current}.next", current)
    servers.each { |server| eventually { server.get('/a.txt').body == 'new' } }
  end
end
