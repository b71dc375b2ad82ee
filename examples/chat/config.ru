# frozen_string_literal: true

# A chat with rooms, for many browsers and several workers: bin/iodine, with or without examples/chat/config.ru
require_relative 'chat'

# The page may load its own files and nothing else, whatever somebody types into it.
rules = { 'cache-control' => 'no-cache', 'content-security-policy' => "default-src 'self'; img-src data:" }
files = { '/' => 'index.html', '/chat.css' => 'chat.css', '/chat.js' => 'chat.js' }
use Rack::Static, root: File.join(__dir__, 'public'), urls: files, header_rules: [[:all, rules]]
run Chat
