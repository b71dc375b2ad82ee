#!/usr/bin/env -S python3 -B
"""What clients notice of a rolling restart: how long answers take while all is quiet, and while workers are replaced.

  rotation.py [-d SECONDS] NAME='COMMAND with {port}' ...

64 clients ask, each again 50 ms after its answer, half of them on a new connection each time. Then the same while USR1
follows USR1, each as soon as no worker of before is left.
"""
import heapq
import os
import selectors
import signal
import socket
import time

from compare import main
from server import Failure, Server

CLIENTS, PAUSE = 64, 0.05
KEEP = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Client:
    def __init__(self, port, keeps):
        self.port, self.keeps, self.socket = port, keeps, None

    def ask(self, ready):
        self.since = time.monotonic()
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 10)
            ready.register(self.socket, selectors.EVENT_READ, self)
        self.socket.sendall(KEEP if self.keeps else CLOSE)

    def take(self, ready):
        """The answers are short: they come in one piece. How many ms it took, or None: it failed."""
        try:
            answer = self.socket.recv(4096)
        except ConnectionError:
            answer = b""
        wait = (time.monotonic() - self.since) * 1e3
        if not answer or b"connection: close" in answer.lower():
            ready.unregister(self.socket)
            self.socket.close()
            self.socket = None
        return wait if answer.startswith(b"HTTP/1.1 200") else None


class Rotation:
    """USR1 to the root, again and again."""

    def __init__(self, server):
        self.root, self.times, self.old = server.process.pid, 0, set()

    def go_on(self):
        workers = self.workers()
        if len(workers) != 2 or workers & self.old:
            return
        self.times, self.old = self.times + 1, workers
        os.kill(self.root, signal.SIGUSR1)

    def workers(self):
        with open(f"/proc/{self.root}/task/{self.root}/children") as f:
            return set(f.read().split())


def load(server, seconds, meanwhile=lambda: None):
    """All waits in ms, and how many failed."""
    waits, failed = [], 0
    with selectors.DefaultSelector() as ready:
        start = time.monotonic()
        due = [(start + PAUSE * i / CLIENTS, i, Client(server.port, i % 2 == 0)) for i in range(CLIENTS)]
        looked = start
        while (now := time.monotonic()) < start + seconds:
            if now - looked > 0.05:
                looked = now
                meanwhile()
            while due and due[0][0] <= now:
                heapq.heappop(due)[2].ask(ready)
            for key, _ in ready.select(min(0.05, max(0, due[0][0] - now)) if due else 0.05):
                wait = key.data.take(ready)
                if wait is None:
                    failed += 1
                else:
                    waits.append(wait)
                heapq.heappush(due, (time.monotonic() + PAUSE, id(key.data), key.data))
    if not waits:
        raise Failure("nothing was answered")
    return sorted(waits), failed


def measure(command, seconds=4):
    with Server(command) as server:
        time.sleep(1)
        quiet, failed = load(server, seconds)
        rotation = Rotation(server)
        busy, failed_too = load(server, seconds, rotation.go_on)
    return {"p50 ms": quiet[len(quiet) // 2], "p99 ms": quiet[len(quiet) * 99 // 100],
            "USR1 p50 ms": busy[len(busy) // 2], "USR1 p99 ms": busy[len(busy) * 99 // 100],
            "times": rotation.times, "errors": failed + failed_too}


if __name__ == "__main__":
    main(__doc__, measure, "-d", 4, "SECONDS")
