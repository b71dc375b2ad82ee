# frozen_string_literal: true

require 'fileutils'

module Support
  # A real nginx in front, with nothing of the machine's own configuration.
  module Nginx
    # @param locations [String] what stands in its only server block
    # @return [Server] that listens on a free port
    def boot_nginx(locations, upstreams: '')
      dir = work_dir
      FileUtils.chmod(0o755, dir)
      port = Server.free_port
      file = write_file(dir, 'nginx.conf', Nginx.configuration(dir, port, locations, upstreams))
      launch([Nginx.program, '-p', dir, '-e', "#{dir}/error.log", '-c', file], port: port, dir: dir)
    end

    def self.program
      folders = ENV.fetch('PATH').split(':') + %w[/usr/sbin /usr/local/sbin /opt/homebrew/bin]
      folders.map { |folder| File.join(folder, 'nginx') }.find { |path| File.executable?(path) } or
        raise 'nginx is missing: install nginx (Debian: nginx-light)'
    end

    def self.configuration(dir, port, locations, upstreams)
      <<~CONF
        #{'user root;' if Process.uid.zero?}
        daemon off;
        worker_processes 1;
        pid #{dir}/nginx.pid;
        events { worker_connections 256; }
        http {
          access_log off;
          client_body_temp_path #{dir}/body; proxy_temp_path #{dir}/proxy; fastcgi_temp_path #{dir}/fastcgi;
          uwsgi_temp_path #{dir}/uwsgi; scgi_temp_path #{dir}/scgi;
          #{upstreams}
          server {
            listen 127.0.0.1:#{port};
            #{locations}
          }
        }
      CONF
    end
  end
end

RSpec.configure { |config| config.include Support::Nginx }
