# frozen_string_literal: true

RSpec.describe 'extconf.rb' do
  extconf = File.join(ROOT, 'ext', 'iodine', 'extconf.rb')

  # Runs it in a folder of its own; `before` is Ruby that runs ahead of it.
  def configure(extconf, before: '', env: {})
    command = [RbConfig.ruby, '-r', 'rbconfig', '-e', "#{before}; load #{extconf.dump}"]
    Open3.capture2e({ 'NO_SSL' => nil }.merge(env), *command, chdir: work_dir)
  end

  it 'prints what it looked for and what it found' do
    out, status = configure(extconf)
    expect(status).to be_success
    expect(out).to match(%r{^checking for sys/epoll\.h|^checking for sys/event\.h})
      .and match(/^iodine: poller:  (epoll|kqueue)$/)
      .and match(/^iodine: found:   .*pthread_create/)
  end

  it 'names the OpenSSL that Ruby itself uses' do
    require 'openssl'
    expect(configure(extconf).first).to match(/^iodine: OpenSSL: .*#{Regexp.escape(OpenSSL::OPENSSL_LIBRARY_VERSION)}/)
  end

  it 'leaves OpenSSL out when NO_SSL is set' do
    expect(configure(extconf, env: { 'NO_SSL' => '1' }).first).to include('iodine: OpenSSL: left out (NO_SSL is set)')
  end

  it 'leaves out an OpenSSL that is too old, and names it' do
    before = 'require "openssl"; OpenSSL.send(:remove_const, :OPENSSL_LIBRARY_VERSION); ' \
             'OpenSSL::OPENSSL_LIBRARY_VERSION = "OpenSSL 1.0.2u  20 Dec 2019"'
    expect(configure(extconf, before: before).first)
      .to match(/^iodine: OpenSSL: left out \(Ruby uses OpenSSL 1\.0\.2u.*1\.1\.0 or later is needed/)
  end

  it 'says what to install when the headers of Ruby are missing' do
    out, status = configure(extconf, before: 'RbConfig::CONFIG["rubyhdrdir"] = "/nowhere"')
    expect(status).not_to be_success
    expect(out).to match(/\Aiodine: the header ruby\.h is missing\. Install it .*ruby-dev.*ruby-devel.*brew.*\n\z/)
  end

  it 'says what to install when there is no compiler' do
    out, status = configure(extconf, env: { 'PATH' => '/nowhere' })
    expect(status).not_to be_success
    expect(out).to match(/^iodine: a C compiler is missing\. Install it .*build-essential/)
  end
end
