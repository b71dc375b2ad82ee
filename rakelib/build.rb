# frozen_string_literal: true

require 'digest'
require 'fileutils'
require 'rbconfig'

# Builds the extension in a folder of its own under tmp/ and copies it to lib/ (or another folder). Does only what the
# changes since the last build call for. Plain Ruby, so that bin/iodine need not load Rake.
class Build
  ROOT = File.expand_path('..', __dir__)
  SOURCES = File.join(ROOT, 'ext', 'iodine')

  # @param name [String] '' for the usual build
  # @param lib [String] the folder that gets iodine/iodine_ext.so, below the checkout
  # @param options [Array<String>] arguments for extconf.rb
  def initialize(name: '', lib: 'lib', options: [])
    @options = options
    @folder = File.join(ROOT, 'tmp', ['build', RbConfig::CONFIG['arch'], RUBY_VERSION, name].reject(&:empty?).join('-'))
    @target = File.join(ROOT, lib, 'iodine', "iodine_ext.#{RbConfig::CONFIG['DLEXT']}")
  end

  # @raise [SystemExit] with the tool's output on stderr when it fails
  def run
    FileUtils.mkdir_p(@folder)
    configure unless File.exist?(makefile) && File.exist?(stamp) && File.read(stamp) == fingerprint
    tool('make', '-j2', '--silent')
    install
  end

  private

  def configure
    FileUtils.rm_f(Dir[File.join(@folder, '**', '*.o')])
    tool(RbConfig.ruby, File.join(SOURCES, 'extconf.rb'), *@options)
    File.write(stamp, fingerprint)
  end

  # What the Makefile was made from: extconf.rb, the list of files, what was asked for and this Ruby.
  def fingerprint
    sources = Dir.chdir(SOURCES) { Dir['*/*.{c,h}'].sort }
    asked = [@options, ENV.fetch('NO_SSL', nil), RUBY_DESCRIPTION]
    Digest::SHA256.hexdigest([File.read(File.join(SOURCES, 'extconf.rb')), sources, *asked].inspect)
  end

  # Renamed into place: a server that runs keeps the old file.
  def install
    built = File.join(@folder, File.basename(@target))
    return if File.exist?(@target) && FileUtils.identical?(built, @target)

    FileUtils.mkdir_p(File.dirname(@target))
    FileUtils.cp(built, "#{@target}.new")
    File.rename("#{@target}.new", @target)
  end

  def tool(*command)
    log = File.join(@folder, "#{File.basename(command.first)}.log")
    done = system(*command, chdir: @folder, out: log, err: %i[child out])
    warnings = File.read(log)
    return if done && !warnings.match?(/warning:/)

    warn warnings
    abort "iodine: #{command.first} failed, see above." unless done
  end

  def makefile
    File.join(@folder, 'Makefile')
  end

  def stamp
    File.join(@folder, 'made-from')
  end
end

Build.new.run if $PROGRAM_NAME == __FILE__
