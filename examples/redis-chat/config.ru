# frozen_string_literal: true

# The chat on two machines, or here on two ports, that share a Redis:
#   bin/iodine -p 3000 -r redis://localhost:6379 examples/redis-chat/config.ru
#   bin/iodine -p 3001 -r redis://localhost:6379 examples/redis-chat/config.ru
# It is the same chat. What is published goes through Redis then, and with it all that the processes know of each other.
abort 'iodine: name a Redis: -r redis://localhost:6379' if Iodine::PubSub.default == Iodine::PubSub::CLUSTER

chat = File.expand_path('../chat/config.ru', __dir__)
instance_eval File.read(chat), chat
