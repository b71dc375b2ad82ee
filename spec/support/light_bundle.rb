# frozen_string_literal: true

module Support
  # What `bundle exec` does for the programs that specs start costs each of them more than all else at its start. They
  # find the same gems by their folders.
  module LightBundle
    SETUP = %r{-r\S*bundler/setup}

    # @param env [Hash] what the program gets anyway; with a bundle or options of its own it is left alone
    # @return [Hash] what it gets as well
    def self.env(env)
      return {} if %w[BUNDLE_GEMFILE RUBYOPT RUBYLIB].any? { |name| env.key?(name) }

      ENVIRONMENT
    end

    options = ENV.fetch('RUBYOPT', '')
    gems = Gem.loaded_specs.values.reject { |gem| gem.name == 'iodine' } # some install one of their own
    folders = [ENV.fetch('RUBYLIB', nil), *gems.flat_map(&:full_require_paths)].compact
    ENVIRONMENT = if options.match?(SETUP)
                    { 'RUBYOPT' => options.gsub(SETUP, ''), 'RUBYLIB' => folders.join(File::PATH_SEPARATOR) }
                  else
                    {}
                  end.freeze
  end
end
