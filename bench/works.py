"""What is measured, beside whom, and what this gem is to reach."""
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Optional

import connections
import instructions
import memory
import nginx as public
import overload
import rotation
import secure
import stalls
import versus
from peers import (LIMIT, falcon, iodine, iodine07, iodine_files, iodine_rails, nginx, nginx_tls, puma, puma_rails,
                   puma_tls)
from peers import secure as over_tls
from server import ROOT

SECONDS = int(os.environ.get("BENCH_SECONDS", 3))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))

PUBLIC = "-www tmp/bench/public"
public.fill()

BROWSER = (  # with Host, which wrk adds, nine
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3", "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://localhost/items?page=2", "Cookie: session=4f5b1c0a9d8e7f6a5b4c3d2e1f0a9b8c; theme=dark",
    "Connection: keep-alive", "Upgrade-Insecure-Requests: 1")


@dataclass
class Goal:
    """`figure` takes the work's results; a missing one is reported as not measured."""
    text: str
    figure: Callable
    bound: float
    least: bool = False
    unit: str = ""


@dataclass
class Work:
    """`base` and `column` name what the last column of the table compares; `limit` is the line under it."""
    name: str
    title: str
    what: str
    limit: str
    commands: dict
    measure: Callable
    base: Optional[str] = None
    column: str = "CPU µs"
    goals: list = field(default_factory=list)
    extra: Callable = dict
    rounds: int = ROUNDS


def figure(server, column):
    return lambda results: results[server][column]


def times(server, base, column):
    return lambda results: results[server][column] / results[base][column]


def everyone(app, threads=1):
    return {"iodine": iodine(app, threads), "iodine 0.7": iodine07(app, threads), "puma": puma(app, threads),
            "falcon": falcon(app)}


def http(**options):
    return partial(versus.measure, seconds=SECONDS, **options)


def ruby_floor(times_called, prefix=()):
    program = f"rack_floor(->(_env) {{ [200, {{ 'content-type' => 'text/plain' }}, ['Hello World']] }}, {times_called})"
    words = [*prefix, "ruby", "-Itmp/bench/rackfloor", "-rrackfloor", "-e", f"puts {program}"]
    return float(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def ruby_floor_time():
    return {"floor, Ruby part": {"CPU µs": ruby_floor(500_000, ("taskset", "-c", "0")) / 1000}}


def ruby_floor_instructions(few=1000, many=21_000):
    totals = []
    for calls in (few, many):
        with tempfile.TemporaryDirectory() as folder:
            ruby_floor(calls, instructions.callgrind(folder))
            totals.append(instructions.total(folder))
    return {"floor, Ruby part": {"instructions": (totals[1] - totals[0]) / (many - few)}}


HELLO = Work(
    "hello", "Hello, 64 keep-alive clients",
    "The smallest application; each request is a call with a whole env.",
    "The kernel: the floor is the same socket calls with a constant answer, its Ruby part a bare env, call and walk of "
    "the answer. What is above their sum is parsing, building the env's strings, the response head and the queues.",
    {"floor": LIMIT, "iodine -t 1": iodine("hello"), "iodine -t 16": iodine("hello", 16),
     "iodine 0.7 -t 1": iodine07("hello"), "iodine 0.7 -t 16": iodine07("hello", 16), "puma -t 1": puma("hello"),
     "puma -t 16": puma("hello", 16), "falcon": falcon("hello")},
    http(), "iodine 0.7 -t 1", extra=ruby_floor_time,
    goals=[Goal("hello, -t 1: CPU × iodine 0.7's", times("iodine -t 1", "iodine 0.7 -t 1", "CPU µs"), 0.70),
           Goal("hello, -t 16: CPU × iodine 0.7's", times("iodine -t 16", "iodine 0.7 -t 16", "CPU µs"), 0.70),
           Goal("hello, -t 1: CPU a request", figure("iodine -t 1", "CPU µs"), 10.0, unit=" µs"),
           Goal("hello, -t 16: CPU a request", figure("iodine -t 16", "CPU µs"), 10.0, unit=" µs"),
           Goal("resident after the hello run, -t 16", figure("iodine -t 16", "RSS MB"), 30, unit=" MB")])

ALONE = Work(
    "alone", "Hello, one client",
    "One connection, each request sent when the answer before it is read: no batch to share a wake-up.",
    "Going to sleep and waking up for every request, in the server and in the client: a context switch each, and for "
    "Ruby a release and a take of the GVL around the poll.",
    {"floor": LIMIT, "iodine -t 1": iodine("hello"), "iodine -t 16": iodine("hello", 16),
     "iodine 0.7 -t 1": iodine07("hello"), "iodine 0.7 -t 16": iodine07("hello", 16), "puma": puma("hello"),
     "falcon": falcon("hello")},
    http(connections=1), "iodine 0.7 -t 1",
    goals=[Goal("one client: CPU × iodine 0.7's", times("iodine -t 1", "iodine 0.7 -t 1", "CPU µs"), 0.75),
           Goal("one client: p50 × iodine 0.7's", times("iodine -t 1", "iodine 0.7 -t 1", "p50 ms"), 1.0)])

INSTRUCTIONS = Work(
    "instructions", "Hello, user-space instructions a request",
    "Counted by callgrind with 16 clients: no kernel, no noise. `-v` writes the access log. Falcon forks, so it is not "
    "counted.",
    "Ruby itself: its floor is the env's Hash, the call and the application's own objects, with their collection.",
    {"floor": LIMIT, "iodine": iodine("hello"), "iodine -v": iodine("hello", 1, "-v"), "iodine 0.7": iodine07("hello"),
     "iodine 0.7 -v": iodine07("hello", 1, "-v"), "puma": puma("hello")},
    instructions.measure, "iodine 0.7", "instructions", extra=ruby_floor_instructions, rounds=1,
    goals=[Goal("hello: instructions a request", figure("iodine", "instructions"), 17_000),
           Goal("access log: instructions more a request",
                lambda r: r["iodine -v"]["instructions"] - r["iodine"]["instructions"], 1500)])

PIPELINED = Work(
    "pipelined", "Hello, 16 requests pipelined",
    "Sixteen requests in one segment, 64 clients; figures are for one request. wrk times no pipelined request.",
    "The Ruby part: sixteen answers leave in one write, so that the kernel's share is small; env and call remain.",
    {"floor": LIMIT, **everyone("hello")}, http(script="pipeline.lua", timed=False), "iodine 0.7",
    goals=[Goal("pipelined: CPU a request", figure("iodine", "CPU µs"), 3.5, unit=" µs")])

BROWSER_LIKE = Work(
    "browser", "Nine request headers as a browser's, five response headers, JSON",
    "64 clients. The application looks at two headers and makes a JSON document and a request id.",
    "Ruby Strings: one for each header's value in the env, and the application's own JSON.generate (falcon's own gems "
    "bring a newer json).",
    everyone("json"), http(headers=BROWSER), "iodine 0.7",
    goals=[Goal("browser-like: CPU a request", figure("iodine", "CPU µs"), 20, unit=" µs")])

LOGGED = Work(
    "log", "Hello with the access log",
    "64 clients, the log goes to a file. Falcon has no access log of this kind.",
    "As hello, and a line of about 90 bytes to format and write; the write is the kernel's.",
    {"iodine": iodine("hello"), "iodine -v": iodine("hello", 1, "-v"), "iodine 0.7": iodine07("hello"),
     "iodine 0.7 -v": iodine07("hello", 1, "-v"), "puma --log-requests": puma("hello", 1, "--log-requests")},
    http(), "iodine",
    goals=[Goal("access log: CPU more a request",
                lambda r: r["iodine -v"]["CPU µs"] - r["iodine"]["CPU µs"], 0.5, unit=" µs")])

LARGE = Work(
    "large", "3 MB body, one String", "An Array of one String of 3 MB, 16 clients.",
    "Copying into the socket, and the client's reading: loopback moves 3 MB no faster.",
    everyone("large"), http(connections=16), "puma",
    goals=[Goal("3 MB body, one String: CPU × puma's", times("iodine", "puma", "CPU µs"), 0.90)])

MANY = Work(
    "many", "3 MB body, many Strings", "An Array of 768 Strings of 4 KB, 16 clients.",
    "As one String, and a step for each of the 768.",
    everyone("large"), http(connections=16, path="/many"), "puma",
    goals=[Goal("3 MB body, many Strings: CPU × puma's", times("iodine", "puma", "CPU µs"), 0.90)])

UPLOAD = Work(
    "upload", "1 MB upload", "POST with Content-Length, 16 clients; the application reads pieces of 64 KB.",
    "Copying: from the socket, to where the body waits for the application, and to the application's String.",
    everyone("upload"), http(connections=16, script="upload.lua"), "puma",
    goals=[Goal("1 MB upload: CPU × puma's", times("iodine", "puma", "CPU µs"), 0.65)])

SLEEPING = Work(
    "sleep", "An application that waits 10 ms",
    "16 threads, 256 clients; as many others have just hung up, their requests still waiting. Falcon runs each request "
    "in a fiber of its own, so that its number of waits has no limit.",
    "Threads: 16 that wait 10 ms can't answer more than 1,600 requests a second, and 256 clients then wait 160 ms.",
    everyone("sleep", 16), http(connections=256), "iodine 0.7", "req/s",
    goals=[Goal("10 ms waits: requests a second", figure("iodine", "req/s"), 1550, least=True),
           Goal("10 ms waits: p99", figure("iodine", "p99 ms"), 190, unit=" ms")])

MIXED = Work(
    "mixed", "Hello beside a stream and a sleeper",
    "4 threads: one is in a streaming loop (a line each 10 ms), one sleeps; 64 clients ask for hello meanwhile.",
    "As hello, and the GVL changing hands whenever the stream wakes up.",
    everyone("busy", 4), http(holding=("/stream", "/sleep")), "iodine 0.7")

STALLS = Work(
    "stalls", "While the application computes",
    "One client asks for 500 ms of pure Ruby, again and again. A second asks `OPTIONS *` each 5 ms on an open "
    "connection (this gem answers it itself, the others call the application), a third asks for a file of 1 KB where "
    "the server has it, a fourth sends a malformed request on a new connection, a fifth sends half a head and waits "
    "for a limit of 1 s to close it, where the command line has one. With an application that sleeps instead, the "
    "figures are those of the clients themselves and the machine.",
    "Who needs the GVL waits for the spinning thread, up to 100 ms each time; what runs without it waits a millisecond "
    "for the stand-in. A single thread or fiber stalls for the whole 500 ms.",
    {"iodine -t 1": iodine("busy", 1, f"--head-timeout 1 {PUBLIC}"),
     "iodine -t 4": iodine("busy", 4, f"--head-timeout 1 {PUBLIC}"),
     "iodine -t 4, app sleeps": iodine("sleep", 4, f"--head-timeout 1 {PUBLIC}"),
     "iodine 0.7 -t 4": iodine07("busy", 4, f"-k 1 {PUBLIC}"), "puma -t 4": puma("busy", 4), "falcon": falcon("busy")},
    partial(stalls.measure, seconds=max(4, SECONDS)),
    goals=[Goal("busy, -t 1: p99 of OPTIONS *", figure("iodine -t 1", "OPTIONS p99 ms"), 10, unit=" ms"),
           Goal("busy, -t 1: p99 of a file", figure("iodine -t 1", "file p99 ms"), 10, unit=" ms"),
           Goal("busy, -t 1: p99 of a refusal", figure("iodine -t 1", "refusal p99 ms"), 10, unit=" ms"),
           Goal("busy, -t 1: a time-out of 1 s", figure("iodine -t 1", "time-out of 1 s"), 1.5, unit=" s")])

OVERLOAD = Work(
    "overload", "More clients than the application can serve",
    "16 threads that wait 10 ms, 1,000 connections that each ask again half a second after an answer: more than those "
    "threads can do. With a limit on the queue the rest is told so at once, by the reactor.",
    "The threads; what is refused costs a turn of the reactor, which comes within a tick of 1 ms.",
    {"iodine --max-queue 64": iodine("sleep", 16, "--max-queue 64"), "iodine": iodine("sleep", 16),
     "puma": puma("sleep", 16)},
    partial(overload.measure, seconds=max(4, SECONDS)),
    goals=[Goal("overload: p99 of a 503", figure("iodine --max-queue 64", "503 p99 ms"), 10, unit=" ms"),
           Goal("overload: p99 of those served", figure("iodine --max-queue 64", "served p99 ms"), 70, unit=" ms")])

ROTATION = Work(
    "usr1", "Rolling restarts under load",
    "Two workers of 16 threads that wait 10 ms. 64 clients, half of them on a new connection for each request, ask again "
    "50 ms after an answer; then once more while USR1 follows USR1 without a pause. All processes share one core.",
    "Processor time: a fork, a new process's first pages and its first requests, and the end of the old one. On a core "
    "of their own nobody would notice.",
    {"iodine": iodine("sleep", 16, workers=2), "iodine, hello": iodine("hello", 4, workers=2)},
    partial(rotation.measure, seconds=max(10, SECONDS)),
    goals=[Goal("rolling restarts: p99 × p99 without", lambda r: r["iodine"]["USR1 p99 ms"] / r["iodine"]["p99 ms"], 2),
           Goal("rolling restarts: requests that failed", figure("iodine", "errors"), 0)])

IDLE = Work(
    "idle", "Idle keep-alive connections",
    "4,000 connections after one request each: private memory a connection, and how many answer again a second later. "
    "The kernel's own socket buffers are not in it.",
    "What a server keeps for a connection that does nothing; Puma and Falcon keep Ruby objects.",
    {"floor": LIMIT, **everyone("hello")}, connections.measure, "iodine 0.7", "bytes",
    goals=[Goal("idle connection", figure("iodine", "bytes"), 600, unit=" bytes"),
           Goal("idle connections that still answer", figure("iodine", "still answering"), 4000, least=True)])

MEMORY = Work(
    "memory", "Rails: root and two workers",
    "The Rails example, loaded in the root, 2 workers of 4 threads in production: what all processes together keep after "
    "4,000 requests for its pages. The example does without iodine under Puma, which is in its cluster mode with `--preload`.",
    "Ruby and Rails: pages of the root that a worker's collections and caches write to are no longer shared.",
    {"iodine": iodine_rails(), "puma": puma_rails()}, memory.measure, "puma", "PSS MB",
    goals=[Goal("Rails, root and two workers: PSS × puma's", times("iodine", "puma", "PSS MB"), 1.0)])

OVER_TLS = {"iodine": over_tls(iodine("hello")), "iodine 0.7": over_tls(iodine07("hello")), "puma": puma_tls("hello"),
            "nginx": nginx_tls()}

TLS_HELLO = Work(
    "tls", "Hello over TLS, 64 keep-alive clients", "As hello; nginx gives a constant answer.",
    "As hello, and a record to open and one to seal: AES and its set-up in OpenSSL, in nginx too.",
    OVER_TLS, http(scheme="https"), "nginx",
    goals=[Goal("hello over TLS: CPU a request", figure("iodine", "CPU µs"), 13, unit=" µs"),
           Goal("hello over TLS: CPU × nginx's", times("iodine", "nginx", "CPU µs"), 1.24)])

TLS_HANDSHAKES = Work(
    "handshakes", "TLS handshakes",
    "TLS 1.3 and RSA 2048: a full handshake, a request and a close, one after the other.",
    "The signature, in OpenSSL; the rest of the handshake, too.",
    OVER_TLS, partial(secure.measure, load=secure.handshakes, seconds=SECONDS, reuse=False), "nginx",
    goals=[Goal("full handshake: CPU × nginx's", times("iodine", "nginx", "CPU µs"), 1.15)])

TLS_RESUMED = Work(
    "resumed", "TLS handshakes, resumed", "As before, each with a ticket of the one before it.",
    "OpenSSL's key exchange; without the signature.",
    OVER_TLS, partial(secure.measure, load=secure.handshakes, seconds=SECONDS, reuse=True), "nginx",
    goals=[Goal("resumed handshake: CPU × nginx's", times("iodine", "nginx", "CPU µs"), 1.15)])

TLS_LARGE = Work(
    "tls-file", "A file of 100 MB over TLS", "One client at a time.",
    "AES and the copy into the socket: records of 16 KB are sealed in user space and leave four at a time.",
    {"iodine": over_tls(iodine("hello", 1, "-www tmp/bench/tls/public")), "nginx": nginx_tls()},
    partial(secure.measure, load=secure.downloads, seconds=SECONDS), "nginx",
    goals=[Goal("100 MB over TLS: CPU × nginx's", times("iodine", "nginx", "CPU µs"), 1.0)])

def files(name, title, connections, limit):
    """One size of file, beside nginx with its cache of open files."""
    return Work(
        name, f"A file of {title}", f"{connections} clients; no application is asked.", limit,
        {"nginx": nginx(), "iodine": iodine_files(), "iodine 0.7": iodine07("hello", 1, PUBLIC)},
        http(connections=connections, path=f"/{name}.txt"), "nginx",
        goals=[Goal(f"a file of {title}: CPU × nginx's", times("iodine", "nginx", "CPU µs"), 1.0)])


SMALL_FILE = files("1k", "1 KB", 64, "One read and one write of the socket: it leaves with its head in one call.")
FILE = files("100k", "100 KB", 64, "The kernel's sendfile, and the client's reading.")
LARGE_FILE = files("10m", "10 MB", 8, "The kernel's sendfile, and the client's reading: loopback copies every byte.")

WORKS = [HELLO, ALONE, INSTRUCTIONS, PIPELINED, BROWSER_LIKE, LOGGED, LARGE, MANY, UPLOAD, SLEEPING, MIXED, STALLS,
         OVERLOAD, ROTATION, IDLE, MEMORY, SMALL_FILE, FILE, LARGE_FILE, TLS_HELLO, TLS_HANDSHAKES, TLS_RESUMED,
         TLS_LARGE]
