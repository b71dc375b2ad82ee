"""What is measured of WebSockets, event streams and pub/sub, beside whom, and what this gem is to reach."""
from functools import partial

import connections
import realtime
from peers import WSLIMIT, action_cable, iodine, iodine07, puma
from works import SECONDS, Goal, Work, figure, times


def beside(app, **more):
    return {"floor": WSLIMIT, "iodine": iodine(app), "iodine 0.7": iodine07(app), **more}


def echo(size, clients=1000):
    return partial(realtime.measure, load=f"--path /echo echo {clients} {SECONDS} {size}")


def broadcast(subscribers, rate, options="", publishers=2, size=64):
    return partial(realtime.measure, load=f"{options} broadcast {subscribers} {publishers} {SECONDS} {size} {rate}")


def faults(*servers):
    columns = ("lost", "doubled", "reordered", "not yet", "errors")
    return lambda results: sum(results[server][column] for server in servers for column in columns)


IDLE = Work(
    "ws-idle", "10,000 idle WebSockets, subscribed",
    "Each has a handler and a subscription. *bytes* is what the server's proportional set (PSS) grew by for each; "
    "*bytes left* what of it is still there when all are closed; *second adds* what a second 10,000 take beyond the "
    "first. The kernel's socket buffers are not in it.",
    "What is kept for each: its env with the Strings in it, the connection's object, its subscription.",
    beside("ws_broadcast", **{"Action Cable": action_cable()}),
    partial(realtime.measure_idle, load="idle 10000"), "iodine 0.7", "bytes", rounds=1,
    goals=[Goal("idle WebSocket, subscribed", figure("iodine", "bytes"), 2000, unit=" bytes"),
           Goal("a second 10,000 add, each", figure("iodine", "second adds"), 100, unit=" bytes"),
           Goal("idle WebSockets that stay open", figure("iodine", "open"), 10_000, least=True)])

IDLE_EVENTS = Work(
    "sse-idle", "10,000 idle event streams, subscribed", "As before, by EventSource's request.", "As before.",
    {"iodine": iodine("ws_broadcast"), "iodine 0.7": iodine07("ws_broadcast")},
    partial(realtime.measure_idle, load="--sse idle 10000"), "iodine 0.7", "bytes", rounds=1,
    goals=[Goal("idle event stream, subscribed", figure("iodine", "bytes"), 2000, unit=" bytes"),
           Goal("idle event streams that stay open", figure("iodine", "open"), 10_000, least=True)])

HIJACKED = Work(
    "hijacked", "10,000 hijacked sockets",
    "After one request each they are the application's, which answers once more whoever asks a second later. *bytes* is "
    "private memory for each.",
    "Ruby's IO object, with its buffers; the server keeps nothing.",
    {"iodine": iodine("hijack"), "iodine 0.7": iodine07("hijack"), "puma": puma("hijack")},
    partial(connections.measure, count=10_000, settling=800), "iodine 0.7", "bytes", rounds=1,
    goals=[Goal("hijacked sockets that still answer", figure("iodine", "still answering"), 10_000, least=True)])

MANY_IDLE = Work(
    "ws-50000", "50,000 idle WebSockets, 4 workers", "As before; a worker holds what its limit of descriptors allows.",
    "As before, and what each worker has for itself.",
    {"iodine -w 4": iodine("ws_broadcast", workers=4)},
    partial(realtime.measure_idle, load="idle 50000"), rounds=1,
    goals=[Goal("50,000 WebSockets over 4 workers that stay open", figure("iodine -w 4", "open"), 50_000, least=True)])

ECHO = Work(
    "ws-echo", "Echo of 64 bytes, 1,000 clients",
    "Each sends the next message when the one before is back. The floor reads, unmasks and writes.",
    "The kernel: a read and a write a message. Above the floor: a String, a call, and the frame around the answer.",
    beside("ws_echo", **{"Action Cable": action_cable()}), echo(64), "iodine 0.7",
    goals=[Goal("echo of 64 bytes: CPU a message", figure("iodine", "CPU µs"), 7.3, unit=" µs"),
           Goal("echo of 64 bytes: CPU × the floor's", times("iodine", "floor", "CPU µs"), 1.2),
           Goal("echo of 64 bytes: errors", figure("iodine", "errors"), 0)])

LARGE_ECHO = Work(
    "ws-echo-16k", "Echo of 16 KB, 1,000 clients", "As before.",
    "Copying: out of the socket, unmasked, checked as UTF-8, and into the socket.",
    beside("ws_echo"), echo(16384), "iodine 0.7",
    goals=[Goal("echo of 16 KB: CPU a message", figure("iodine", "CPU µs"), 14.5, unit=" µs"),
           Goal("echo of 16 KB: CPU × the floor's", times("iodine", "floor", "CPU µs"), 1.16),
           Goal("echo of 16 KB: errors", figure("iodine", "errors"), 0)])

BROADCAST = Work(
    "ws-broadcast", "100 messages a second to 1,000 subscribers",
    "64 bytes, two publishers. A *delivery* is a message that reached one subscriber; CPU is for one. Latency counts "
    "from the time a message was due. The floor writes each at once. Action Cable gets 5 messages a second.",
    "The kernel's writes, one for each subscriber whenever there is something for it.",
    beside("ws_broadcast", **{"Action Cable, 5 a second": action_cable("--rate 5")}), broadcast(1000, 100),
    "floor",
    goals=[Goal("broadcast: CPU a delivery × the floor's", times("iodine", "floor", "CPU µs"), 1.0),
           Goal("broadcast: lost, doubled, reordered, wrong", faults("iodine"), 0)])

INFLIGHT = Work(
    "ws-inflight", "As many messages as go to 1,000 subscribers, 16 under way",
    "One publisher sends the next message when one has reached all. What reaches a subscriber in one turn of the loop "
    "can leave in one write; the floor joins nothing.",
    "Handing a message's bytes to 1,000 sockets; the kernel's share is divided by what is joined.",
    beside("ws_broadcast"), broadcast(1000, 0, "--inflight 16", publishers=1), "iodine 0.7",
    goals=[Goal("16 under way: CPU a delivery", figure("iodine", "CPU µs"), 0.6, unit=" µs"),
           Goal("16 under way: CPU a delivery × the floor's", times("iodine", "floor", "CPU µs"), 0.11),
           Goal("16 under way: lost, doubled, reordered, wrong", faults("iodine"), 0)])

MANY = Work(
    "ws-5000", "100 messages a second to 5,000 subscribers",
    "Half a million deliveries a second. Who can't keep up falls behind.",
    "One core for the server, one for the load.",
    beside("ws_broadcast"), broadcast(5000, 100), "iodine 0.7", "a second",
    goals=[Goal("5,000 subscribers: deliveries a second", figure("iodine", "a second"), 495_000, least=True),
           Goal("5,000 subscribers: p99", figure("iodine", "p99 ms"), 100, unit=" ms"),
           Goal("5,000 subscribers: lost, doubled, reordered, wrong", faults("iodine"), 0)])

EVENTS = Work(
    "sse-broadcast", "100 messages a second to 1,000 event streams",
    "As to WebSockets; the two publishers are WebSockets.",
    "The kernel's writes.",
    {"iodine": iodine("ws_broadcast"), "iodine 0.7": iodine07("ws_broadcast")}, broadcast(1000, 100, "--sse"),
    "iodine 0.7",
    goals=[Goal("event streams: CPU a delivery", figure("iodine", "CPU µs"), 6.0, unit=" µs"),
           Goal("event streams: lost, doubled, reordered, wrong", faults("iodine"), 0)])

ALONE = Work(
    "ws-alone", "A message alone", "One subscriber, one publisher, 50 messages a second: nothing to join, all asleep.",
    "Waking up, in the server and in the client.",
    beside("ws_broadcast"), broadcast(1, 50, publishers=1), "iodine 0.7", "p50 ms",
    goals=[Goal("a message alone: p50 × iodine 0.7's", times("iodine", "iodine 0.7", "p50 ms"), 1.0)])

DEFLATE = Work(
    "ws-deflate", "1 KB of JSON to 1,000 subscribers, compressed",
    "20 messages a second. The clients offer permessage-deflate without context takeover, and inflate what comes; who "
    "doesn't compress sends it plain.",
    "As a broadcast, and one deflate a message.",
    {"iodine": iodine("ws_broadcast"), "iodine --no-deflate": iodine("ws_broadcast", 1, "--no-deflate"),
     "iodine 0.7": iodine07("ws_broadcast")},
    broadcast(1000, 20, "--deflate --json", size=1024), "iodine 0.7",
    goals=[Goal("compressed: bytes on the wire × plain", times("iodine", "iodine --no-deflate", "bytes"), 0.5),
           Goal("compressed: CPU a delivery × plain", times("iodine", "iodine --no-deflate", "CPU µs"), 1.1),
           Goal("compressed: lost, doubled, reordered, wrong", faults("iodine"), 0)])

WORKERS = Work(
    "ws-workers", "One, two and four workers",
    "1,000 subscribers, 100 messages a second by eight publishers, all on one core as before: what the way between the "
    "workers costs.",
    "As a broadcast; each message goes to the root and on to the other workers once.",
    {f"iodine -w {count}": iodine("ws_broadcast", workers=count) for count in (1, 2, 4)},
    broadcast(1000, 100, publishers=8), "iodine -w 1",
    goals=[Goal("1, 2 and 4 workers: lost, doubled, reordered, wrong",
                faults("iodine -w 1", "iodine -w 2", "iodine -w 4"), 0),
           Goal("2 workers: CPU a delivery × one worker's", times("iodine -w 2", "iodine -w 1", "CPU µs"), 1.15)])

ECHO_INSTRUCTIONS = Work(
    "ws-echo-instructions", "Echo of 64 bytes: user-space instructions a message",
    "Counted by callgrind with 100 clients: no kernel, no noise.",
    "Ruby: a String and a call.",
    beside("ws_echo"), partial(realtime.measure_instructions, load="--path /echo echo 100 {seconds} 64"), "iodine 0.7",
    "instructions", rounds=1)

INSTRUCTIONS = Work(
    "ws-instructions", "1 KB of JSON to 1,000 subscribers: user-space instructions a delivery",
    "Counted by callgrind; the next message goes out when the one before has reached all. The clients offer "
    "compression.",
    "Finding the subscribers and the writes; the message is encoded, and compressed, once.",
    beside("ws_broadcast", **{"iodine --no-deflate": iodine("ws_broadcast", 1, "--no-deflate")}),
    partial(realtime.measure_instructions, load="--deflate --json broadcast 1000 1 {seconds} 1024 0"), "iodine 0.7",
    "instructions", rounds=1,
    goals=[Goal("compressed: instructions a delivery more than plain",
                lambda r: r["iodine"]["instructions"] - r["iodine --no-deflate"]["instructions"], 500)])

REALTIME = [IDLE, IDLE_EVENTS, HIJACKED, MANY_IDLE, ECHO, LARGE_ECHO, ECHO_INSTRUCTIONS, BROADCAST, INFLIGHT, MANY,
            EVENTS, ALONE, DEFLATE, INSTRUCTIONS, WORKERS]
