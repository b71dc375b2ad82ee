#!/usr/bin/env -S python3 -B
"""More clients than the application can serve: how fast the others are told so, and what those who are served wait.

  overload.py [-d SECONDS] NAME='COMMAND with {port}' ...

A thousand connections ask, each again half a second after its answer. What counts is how long an answer took, by status.
"""
import heapq
import selectors
import socket
import time

from compare import main
from server import Failure, Server

CLIENTS, PAUSE = 1000, 0.5
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)

    def ask(self):
        self.since = time.monotonic()
        self.socket.send(REQUEST)

    def status(self):
        """The answers are short: they come in one piece."""
        return self.socket.recv(4096)[9:12].decode()


def p(values, share):
    return sorted(values)[int(len(values) * share)] if values else float("nan")


def measure(command, seconds=4):
    waits = {"200": [], "503": []}
    with Server(command) as server, selectors.DefaultSelector() as ready:
        start = time.monotonic()
        due = [(start + PAUSE * i / CLIENTS, i, Client(server.port)) for i in range(CLIENTS)]
        for _, _, client in due:
            ready.register(client.socket, selectors.EVENT_READ, client)
        while (now := time.monotonic()) < start + PAUSE + seconds:
            while due and due[0][0] <= now:
                heapq.heappop(due)[2].ask()
            for key, _ in ready.select(max(0, due[0][0] - now) if due else 0.01):
                client, now = key.data, time.monotonic()
                status = client.status()
                if status not in waits:
                    raise Failure(f"an answer with status {status!r}")
                waits[status].append((now - client.since) * 1e3)
                heapq.heappush(due, (now + PAUSE, id(client), client))
    return {"served/s": len(waits["200"]) / (seconds + PAUSE), "served p99 ms": p(waits["200"], 0.99),
            "503/s": len(waits["503"]) / (seconds + PAUSE), "503 p50 ms": p(waits["503"], 0.5),
            "503 p99 ms": p(waits["503"], 0.99)}


if __name__ == "__main__":
    main(__doc__, measure, "-d", 4, "SECONDS")
