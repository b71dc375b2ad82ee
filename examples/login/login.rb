# frozen_string_literal: true

# A protocol of its own, for a terminal: asks for a name and a password, and hangs up on who says nothing.
# bin/iodine examples/login/login.rb, then: nc localhost 3000 (Ann's password is tea)
require 'iodine'
require 'openssl'

# Who comes is at the Door; who is known has a Session.
module Login
  SECONDS = Integer(ENV.fetch('LOGIN_SECONDS', 20)) # for who has not logged in yet
  PASSWORDS = { 'Ann' => 'tea', 'Bob' => 'coffee' }.freeze # a real one keeps digests, and speaks TLS: tls://

  # Cuts what comes into lines. Bytes come in pieces of any size.
  class Lines
    LONGEST = 1000

    def initialize(rest = +'')
      @rest = rest
    end

    def on_message(client, data)
      @rest << data
      while client.handler.equal?(self) && (line = @rest.slice!(/\A.*?\r?\n/m))
        hear(client, line.scrub.chomp)
      end
      client.close if @rest.bytesize > LONGEST
    end
  end

  # Until somebody is known.
  class Door < Lines
    TRIES = 3

    def on_open(client)
      client.timeout = SECONDS
      client.write('Name: ')
    end

    # The time-out passed without traffic.
    def ping(client)
      client.write("\r\nToo slow.\r\n")
      client.close
    end

    private

    def hear(client, line)
      if @name
        check(client, line)
      else
        @name = line
        client.write('Password: ')
      end
    end

    def check(client, password)
      if OpenSSL.secure_compare(PASSWORDS.fetch(@name, ''), password) && PASSWORDS.key?(@name)
        client.handler = Session.new(@name, @rest) # from here on others are called
      elsif (@tries = @tries.to_i + 1) == TRIES
        client.write("No.\r\n")
        client.close
      else
        @name = nil
        client.write("No.\r\nName: ")
      end
    end
  end

  # Somebody is there.
  class Session < Lines
    def initialize(name, rest)
      super(rest)
      @name = name
    end

    def on_open(client)
      client.timeout = SECONDS * 3
      client.write("Welcome, #{@name}. Try: time, quit\r\n> ")
      on_message(client, '') # what came with the password
    end

    def on_message(client, data)
      @asked = false
      super
    end

    def ping(client)
      client.write(@asked ? "\r\nBye, then.\r\n" : "\r\nAre you still there? ")
      client.close if @asked
      @asked = true
    end

    def on_shutdown(client)
      client.write("\r\nThe server stops. Goodbye, #{@name}.\r\n")
    end

    private

    def hear(client, line)
      return client.write("Goodbye.\r\n") && client.close if line == 'quit'

      client.write("#{line == 'time' ? Time.now : "What is #{line.inspect}?"}\r\n> ")
    end
  end
end

Iodine.listen(service: :raw) { Login::Door.new }
Iodine.start
