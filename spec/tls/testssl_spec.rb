# frozen_string_literal: true

require 'json'
require_relative 'secure'

# Runs testssl.sh, which takes over a minute for each kind of key: rake testssl.
RSpec.describe 'testssl.sh', if: ENV.key?('TESTSSL') do
  include Secure

  # What may be found, at the severity LOW or above. All of it is about the certificate, its zone or the application.
  allowed = %w[cert_revocation DNS_CAArecord security_headers]

  severe = %w[LOW MEDIUM HIGH CRITICAL]

  program = %w[testssl testssl.sh].find { |name| system('which', name, out: File::NULL) }
  before { raise 'testssl.sh is missing: apt-get install testssl.sh' unless program }

  { 'RSA' => 2048, 'P-256' => nil }.each do |kind, bits|
    it "finds nothing wrong with a key of #{kind}" do
      @server = boot(<<~RUBY, '-w', '2', '-t', '1', *site_options(@authority.issue('example.test', rsa: bits)))
        run ->(_) { [200, { 'content-type' => 'text/plain', 'strict-transport-security' => 'max-age=31536000' }, ['hello']] }
      RUBY
      report = File.join(work_dir, 'report.json')
      out, = Open3.capture2e(program, '--quiet', '--color', '0', '--warnings', 'off', '--add-ca', @authority.path,
                             '--ip', '127.0.0.1', '--jsonfile', report, "example.test:#{@server.port}")
      expect(out).to include(' Done ')
      found = JSON.parse(File.read(report)).select { |finding| severe.include?(finding['severity']) }
      expect(found.map { |finding| finding['id'] } - allowed).to eq([]), found.join("\n")
    end
  end
end
