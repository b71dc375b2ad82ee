# frozen_string_literal: true

require 'fileutils'

# Runs specs with an extension that has AddressSanitizer and UndefinedBehaviorSanitizer in it: built apart, loaded only
# by the servers under test.
class Asan
  # Ruby unwinds by longjmp without telling the sanitizer, whose marks on skipped frames then look like errors: the
  # stack is left to the C unit tests.
  FLAGS = '-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined --param asan-stack=0'
  LIB = 'tmp/asan/lib'
  SPECS = %w[connect connection http proxy rack server static tls].freeze

  # No search for leaks: Ruby frees nothing at its end. Reports go to files, since a server's stderr is not always read.
  def run(*names)
    flags = ["--with-cflags=#{FLAGS}", '--with-ldflags=-fsanitize=address,undefined']
    Build.new(name: 'asan', lib: LIB, options: flags).run
    FileUtils.rm_f(reports)
    status = Dir.chdir(Build::ROOT) { system(environment, 'rspec', *folders(names)) }
    reports.each { |path| warn File.read(path) }
    abort "iodine: the sanitizers wrote #{reports.size} reports, see above." if reports.any?
    exit 1 unless status
  end

  private

  def folders(names)
    (names.empty? ? SPECS : names).map { |name| "spec/#{name}" }
  end

  def environment
    {
      'IODINE_SPEC_LIB' => File.join(Build::ROOT, LIB),
      'IODINE_SPEC_PRELOAD' => `#{RbConfig::CONFIG['CC']} -print-file-name=libasan.so`.chomp,
      'IODINE_SPEC_SLOWER' => '4',
      'ASAN_OPTIONS' => "detect_leaks=0:use_sigaltstack=0:abort_on_error=1:log_path=#{report}",
      'UBSAN_OPTIONS' => "print_stacktrace=1:halt_on_error=1:log_path=#{report}"
    }
  end

  def report
    File.join(Build::ROOT, 'tmp', 'asan', 'report')
  end

  def reports
    Dir["#{report}.*"]
  end
end
