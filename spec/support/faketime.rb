# frozen_string_literal: true

module Support
  # A server whose clock jumps, by libfaketime: the wall clock alone, as when a machine's time is set.
  class FakeTime
    LIBRARIES = ['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib*/faketime/libfaketimeMT.so.1',
                 '/opt/homebrew/lib/faketime/libfaketimeMT.1.dylib'].freeze

    # @param file [String] where the library reads how far it has jumped
    def initialize(file)
      @file = file
      jump(0)
    end

    # What the server needs.
    # @return [Hash]
    def environment
      library = Dir[*LIBRARIES].first or raise 'libfaketime is missing: install faketime'
      { 'LD_PRELOAD' => [library, ENV.fetch('IODINE_SPEC_PRELOAD', nil)].compact.join(':'),
        'FAKETIME_TIMESTAMP_FILE' => @file, 'FAKETIME_NO_CACHE' => '1', 'FAKETIME_DONT_FAKE_MONOTONIC' => '1',
        'DONT_FAKE_MONOTONIC' => '1' }
    end

    # @param seconds [Integer] from the real time
    def jump(seconds)
      File.write("#{@file}.new", format("%+d\n", seconds))
      File.rename("#{@file}.new", @file)
    end
  end
end
