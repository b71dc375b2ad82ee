# frozen_string_literal: true

require 'iodine'

RSpec.describe 'sig/iodine.rbs' do
  let(:source) { File.read(File.join(ROOT, 'sig', 'iodine.rbs')) }

  it 'has every public method of Iodine, and no other' do
    inherited = Module.new.singleton_class.instance_methods
    methods = Iodine.singleton_class.public_instance_methods - inherited
    signed = source[/\A.*?^  module Rack$/m].scan(/def self\.([\w?=]+):/).flatten.map(&:to_sym)
    expect(signed).to match_array(methods)
  end

  it 'has every public method of Iodine::Rack, and no other' do
    methods = Iodine::Rack.singleton_class.public_instance_methods(false)
    signed = source[/^  module Rack$.*/m].scan(/def self\.([\w?=]+):/).flatten.map(&:to_sym)
    expect(signed).to match_array(methods)
  end

  it 'has every public method of Iodine::TLS, and no other' do
    internal = %i[context client_context changed? signature renew certificate? protocols to_s] # @api private
    methods = Iodine::TLS.public_instance_methods(false) - internal
    signed = source[/^  class TLS$.*?^  end$/m].scan(/def ([\w?=]+):/).flatten.map(&:to_sym) - [:initialize]
    expect(signed).to match_array(methods)
  end

  it 'has every public method of Iodine::Connection, and no other' do
    signed = source[/^  class Connection$.*?^  end$/m].scan(/def ([\w?=]+):/).flatten.map(&:to_sym)
    expect(signed).to match_array(Iodine::Connection.public_instance_methods(false))
  end

  it 'has every public method of Iodine::PubSub::Redis, and no other, in a file of its own' do
    internal = %i[told asked] # @api private
    signed = File.read(File.join(ROOT, 'sig', 'redis.rbs')).scan(/def ([\w?=]+):/).flatten.map(&:to_sym) - [:initialize]
    expect(signed).to match_array(Iodine::PubSub::Redis.public_instance_methods(false) - internal)
  end

  it 'has every public method of Iodine::PubSub and its Engine, and no other' do
    signed = source[/^  module PubSub$.*?^  end$/m]
    engines, engine = signed.split('class Engine').map { |text| text.scan(/def ([\w?=]+):/).flatten.map(&:to_sym) }
    internal = %i[open opened close reset_after_fork told asked] # @api private
    expect(engines).to match_array(Iodine::PubSub.singleton_class.public_instance_methods(false) - internal)
    expect(engine).to match_array(Iodine::PubSub::Engine.public_instance_methods(false) - internal)
  end

  it 'names no constant that is private or missing' do
    constants = source.scan(/^  ([A-Z_]+):/).flatten.map(&:to_sym)
    expect(constants).to match_array(Iodine.constants.reject { |name| Iodine.const_get(name).is_a?(Module) })
  end
end
