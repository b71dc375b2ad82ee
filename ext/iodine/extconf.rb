# frozen_string_literal: true

# Probes, flags and the list of files; nothing else. Features are probed, Ruby's version never decides.

require 'rbconfig'

# Ends the installation with one line that says what to install.
def missing(what, debian:, rpm:, brew:)
  abort "iodine: #{what} is missing. Install it (Debian, Ubuntu: apt-get install #{debian}; " \
        "Fedora, RHEL: dnf install #{rpm}; macOS: #{brew}) and try again."
end

unless File.exist?(File.join(RbConfig::CONFIG['rubyhdrdir'].to_s, 'ruby.h'))
  missing 'the header ruby.h', debian: 'ruby-dev', rpm: 'ruby-devel', brew: 'brew install ruby'
end

require 'mkmf'

unless find_executable(RbConfig.expand(CONFIG['CC'].dup).split.first)
  missing 'a C compiler', debian: 'build-essential', rpm: 'gcc make', brew: 'xcode-select --install'
end

append_cppflags '-D_GNU_SOURCE'
$CFLAGS << ' -std=gnu11 -fvisibility=hidden'
$CFLAGS << ' -O2' unless RbConfig.expand($CFLAGS.dup, CONFIG.dup).match?(/(?:^|\s)-O/) # --with-cflags replaces Ruby's

# The C library's headers come with the compiler on most systems, not on all.
unless have_header('pthread.h') && (have_func('pthread_create', 'pthread.h') || have_library('pthread'))
  missing 'the C library with pthread.h', debian: 'libc6-dev', rpm: 'glibc-devel', brew: 'xcode-select --install'
end
unless have_header('stdatomic.h')
  missing 'a C11 compiler with stdatomic.h', debian: 'gcc', rpm: 'gcc', brew: 'xcode-select --install'
end

POLLER =
  if have_header('sys/epoll.h') && have_func('epoll_create1', 'sys/epoll.h') then 'epoll'
  elsif have_header('sys/event.h') && have_func('kqueue', %w[sys/types.h sys/event.h]) then 'kqueue'
  else
    abort 'iodine: this system has neither epoll nor kqueue. Use Linux, macOS or a BSD.'
  end

have_func('epoll_pwait2', 'sys/epoll.h')
have_func('eventfd', 'sys/eventfd.h')
have_func('accept4', 'sys/socket.h')
have_header('sys/sendfile.h') # Linux's form of sendfile; the BSDs' and macOS's is in sys/socket.h
have_func('sendfile', %w[sys/types.h sys/socket.h sys/uio.h]) unless POLLER == 'epoll'
have_const('O_TMPFILE', 'fcntl.h')
have_header('linux/openat2.h')
have_const('SYS_openat2', 'sys/syscall.h')
have_func('rb_internal_thread_add_event_hook', 'ruby/thread.h')
have_func('rb_io_descriptor', 'ruby/io.h')

# The library that Ruby's own openssl extension is linked with is the only one that may share the process with it; the
# headers must be of the same one. Why there is no TLS, or nil.
def objection_to_tls
  return 'NO_SSL is set' unless ENV.fetch('NO_SSL', '').match?(/\A(?:0|no|false|off|)\z/i)

  require 'openssl'
  version = OpenSSL::OPENSSL_LIBRARY_VERSION
  dir_config('openssl', RbConfig::CONFIG['configure_args'][/--with-openssl-dir=([^' ]+)/, 1])
  objection = objection_to(version)
  objection && "Ruby uses #{version}; #{objection}"
rescue LoadError
  'this Ruby has no openssl extension'
end

def objection_to(version)
  name, number = version.split
  oldest = name == 'LibreSSL' ? '2.7.4' : '1.1.0'
  return "#{name} #{oldest} or later is needed" if Gem::Version.new(number[/[\d.]+/]) < Gem::Version.new(oldest)

  headers = try_constant('OPENSSL_VERSION_NUMBER', 'openssl/opensslv.h')
  return 'its headers are missing: apt-get install libssl-dev, dnf install openssl-devel' unless headers

  # The highest digit tells 1.1, LibreSSL and 3 apart.
  return 'openssl/opensslv.h is of another one' if headers >> 28 != OpenSSL::OPENSSL_VERSION_NUMBER >> 28

  linked = have_library('crypto', 'EVP_Digest', 'openssl/evp.h') && have_library('ssl', 'SSL_new', 'openssl/ssl.h')
  'it can\'t be linked' unless linked
end

NO_TLS = objection_to_tls
OPENSSL = NO_TLS ? "left out (#{NO_TLS})" : "#{OpenSSL::OPENSSL_LIBRARY_VERSION}, as Ruby's own"

# permessage-deflate for WebSockets
ZLIB = have_func('inflateResetKeep', 'zlib.h') || have_library('z', 'inflateResetKeep', 'zlib.h')

FOLDERS = %w[base protocol reactor server bridge].freeze

Dir.chdir(__dir__) do
  $srcs = Dir["{#{FOLDERS.join(',')}}/*.c"]
  $srcs -= NO_TLS ? Dir['reactor/openssl_*.c'] : ['reactor/tls_none.c']
  $srcs -= ["protocol/websocket_deflate#{'_none' if ZLIB}.c"]
  $srcs -= %w[epoll kqueue].reject { |name| name == POLLER }.map { |name| "reactor/poller_#{name}.c" }
  # Without the headers here, editing one would rebuild nothing.
  $headers = Dir["{#{FOLDERS.join(',')}}/*.h"].map { |path| "$(srcdir)/#{path}" }
end
$objs = $srcs.map { |path| path.sub(/\.c\z/, ".#{$OBJEXT}") }
$cleanfiles.concat $objs
FileUtils.mkdir_p FOLDERS

message "iodine: poller:  #{POLLER}\n"
message "iodine: OpenSSL: #{OPENSSL}\n"
message "iodine: zlib:    #{ZLIB ? 'found' : 'left out (install zlib1g-dev, zlib-devel)'}\n"
message "iodine: found:   #{$defs.grep(/\A-DHAVE_/).map { |name| name.delete_prefix('-DHAVE_').downcase }.join(', ')}\n"

create_makefile 'iodine/iodine_ext'
