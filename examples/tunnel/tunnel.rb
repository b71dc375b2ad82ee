# frozen_string_literal: true

# GET /HOST:PORT with `upgrade: tcp` is joined to that place: what one end says the other hears.
# These are the callbacks of the near end, whose client is to be joined; Far has those of the other.
class Tunnel
  ALLOWED = ENV.fetch('TUNNEL_ALLOWED', 'localhost:6379 127.0.0.1:6379').split.freeze
  EARLY = 65_536 # bytes that may come before the far end is there

  def self.call(env)
    place = env['PATH_INFO'].delete_prefix('/')
    plain = { 'content-type' => 'text/plain' }
    return [403, plain, ["Not to #{place}.\n"]] unless ALLOWED.include?(place)
    return [426, plain.merge('upgrade' => 'tcp'), ["Ask for an upgrade to tcp.\n"]] unless env['HTTP_UPGRADE'] == 'tcp'

    env['upgrade.tcp'] = new("tcp://#{place}")
    [101, { 'connection' => 'Upgrade', 'upgrade' => 'tcp' }, []]
  end

  def initialize(url)
    @url = url
    @early = +''
  end

  def on_open(near)
    Iodine.connect(url: @url, handler: far_end(near))
  rescue RuntimeError # there is no such host
    near.close
  end

  def on_message(near, data)
    return @far.write(data) if @far # who reads too slowly is closed at 16 MB: max_pending

    @early << data
    near.close if @early.bytesize > EARLY
  end

  def on_close(_near)
    @far&.close
  end

  # The far end is there.
  def join(far)
    @far = far
    far.write(@early)
  end

  private

  def far_end(near)
    Far.new(near, self)
  end

  # The other end.
  class Far
    def initialize(near, tunnel)
      @near = near
      @tunnel = tunnel
    end

    # Each connection's callbacks run one at a time, but two connections' side by side: what is the near end's is done
    # between its callbacks.
    def on_open(far)
      @near.defer { @tunnel.join(far) } || far.close
    end

    def on_message(_far, data)
      @near.write(data)
    end

    # Also when it could not be reached.
    def on_close(_far)
      @near.close
    end
  end
end
