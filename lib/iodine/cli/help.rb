# frozen_string_literal: true

module Iodine
  module CLI
    # @api private
    module Help
      WIDTH = 36

      def self.text
        <<~TEXT
          iodine #{VERSION}

          Usage: iodine [options] [file.ru|file.rb]

          Serves a Rack application (config.ru, if no file is named), or runs a Ruby script that calls Iodine.listen.

          #{OPTIONS.map { |option| line(option) }.join("\n")}

          A value is written as -p 80, -p=80 or -p80. Each name works with one dash and with two.
          The environment is read too: PORT, ADDRESS, THREADS, WORKERS, WEB_CONCURRENCY, RAILS_MAX_THREADS, SCRIPT_NAME,
          IODINE_REDIS_URL, RACK_ENV. In config/iodine.rb these names are words: port 80, with _ for - inside.
          Signals: INT and TERM stop gracefully, the second one at once; USR1 replaces the workers one by one;
          USR2 starts the program once more, which takes over; TTIN writes backtraces of all threads to the log.
        TEXT
      end

      def self.line(option)
        names = [option.title, option.value].compact.join(' ')
        "  #{names.ljust(WIDTH)} #{option.help}"
      end
      private_class_method :line
    end
  end
end
