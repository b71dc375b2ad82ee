# frozen_string_literal: true

require 'roda'

# Exports as many rows as are asked for. Memory stays flat: a slow client holds up the loop that makes the rows.
class Export < Roda
  plugin :halt
  plugin :streaming
  plugin :typecast_params

  HEADER = "id,name,amount\n"
  DEFAULT_ROWS = 100_000
  MOST_ROWS = 10_000_000
  BATCH = 500 # rows in one piece: a piece for each row would spend more on its framing than on its bytes

  # A Rack body: the server calls each, then close.
  class Rows
    def initialize(count)
      @count = count
    end

    def each
      yield HEADER
      1.step(@count, BATCH) do |first|
        last = [first + BATCH - 1, @count].min
        yield((first..last).map { |id| row(id) }.join)
      end
    end

    private

    def row(id)
      "#{id},customer #{id % 997},#{id * 37 % 10_000 / 100.0}\n"
    end
  end

  route do |r|
    r.root { 'Try <a href="/export.csv">/export.csv</a>, <a href="/export.csv?rows=10">ten rows</a> or /stream.csv' }

    r.on(%w[export.csv stream.csv]) do |name|
      rows = typecast_params.pos_int('rows', DEFAULT_ROWS)
      r.halt(422, "rows: at most #{MOST_ROWS}") if rows > MOST_ROWS

      response['content-type'] = 'text/csv'
      response['content-disposition'] = 'attachment; filename="export.csv"'
      body = Rows.new(rows)
      r.halt([200, response.headers, body]) if name == 'export.csv'
      stream { |out| body.each { |piece| out << piece } }
    end
  end
end
