#!/usr/bin/env -S python3 -B
"""What goes on in a server while its application computes: bench/apps/busy.ru spins for 500 ms, again and again.

  stalls.py [-d SECONDS] NAME='COMMAND with {port}' ...

Four clients look from outside. One asks OPTIONS * and one for a file of 1 KB, on open connections, one opens a
connection for a request that is no HTTP and must be refused, each every 5 ms. The fourth sends the first bytes of a
request and times how long the server waits for the rest.
"""
import contextlib
import socket
import statistics
import threading
import time

from compare import main
from server import Failure, Server

PERIOD = 0.005
OPTIONS = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"
FILE = b"GET /1k.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
NONSENSE = b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 10)


def spin(port, stop):
    with contextlib.suppress(OSError), connect(port) as client:
        while not stop.is_set():
            client.sendall(b"GET /spin HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if not client.recv(4096):
                return


def ask_options(port):
    client = connect(port)

    def ask():
        client.sendall(OPTIONS)
        return client.recv(4096).startswith(b"HTTP/1.1 2")

    return ask


def ask_file(port):
    client = connect(port)

    def ask():
        client.sendall(FILE)
        answer = client.recv(4096)
        while 0 < len(answer) < 1024:
            answer += client.recv(4096)
        return b"content-length: 1024\r\n" in answer.lower()

    return ask


def be_refused(port):
    def ask():
        with connect(port) as client:
            client.sendall(NONSENSE)
            return client.recv(4096)[9:12] in (b"400", b"")  # iodine 0.7 only closes

    return ask


def probe(make, port, seconds, waits):
    """Asks each PERIOD and adds how many ms each answer took. One that came late stands for those that were due
    meanwhile too, so that a stall counts in full. Ends at the first answer that is not the expected one."""
    with contextlib.suppress(OSError):
        ask, end = make(port), time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            if not ask():
                waits.clear()
                return
            wait = time.monotonic() - start
            waits += [(wait - i * PERIOD) * 1e3 for i in range(1 + int(wait / PERIOD))]
            time.sleep(max(0, PERIOD - wait))


def wait_for_close(port, seconds, waits):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), seconds) as client:
        start = time.monotonic()
        client.sendall(b"GET /")
        while client.recv(4096):  # a 408 may come first
            pass
        waits.append(time.monotonic() - start)


def measure(command, seconds=4):
    options, files, refusals, closes, stop = [], [], [], [], threading.Event()
    with Server(command) as server:
        spinner = threading.Thread(target=spin, args=(server.port, stop), daemon=True)
        watchers = [threading.Thread(target=probe, args=(ask_options, server.port, seconds, options)),
                    threading.Thread(target=probe, args=(ask_file, server.port, seconds, files)),
                    threading.Thread(target=probe, args=(be_refused, server.port, seconds, refusals)),
                    threading.Thread(target=wait_for_close, args=(server.port, seconds, closes))]
        spinner.start()
        time.sleep(0.1)
        for watcher in watchers:
            watcher.start()
        for watcher in watchers:
            watcher.join(60)
        stop.set()
    figures = {}
    for name, waits in (("OPTIONS", options), ("file", files), ("refusal", refusals)):
        if len(waits) > 10:
            figures[f"{name} p50 ms"] = statistics.median(waits)
            figures[f"{name} p99 ms"] = statistics.quantiles(waits, n=100)[98]
    if closes:
        figures["time-out of 1 s"] = closes[0]
    if not figures:
        raise Failure("answered nothing while it was busy")
    return figures


if __name__ == "__main__":
    main(__doc__, measure, "-d", 4, "SECONDS")
