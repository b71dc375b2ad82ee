#!/usr/bin/env -S python3 -B
"""What an idle keep-alive connection costs a server in user-space memory.

  connections.py [-n CONNECTIONS] NAME='COMMAND with {port}' ...

Settles the server with 20,000 requests, opens N connections that each make one request, waits a second, counts the
server's private pages, and then asks every connection once more: all must answer.
"""
import resource
import socket
import subprocess
import time

from compare import main
from server import Failure, Server

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def ask(client):
    try:
        client.sendall(REQUEST)
    except OSError:
        pass  # so it gets no answer


def answered(client):
    """Does the whole answer come?"""
    try:
        seen = b""
        while not seen.endswith(b"Hello World"):
            piece = client.recv(4096)
            if not piece:
                return False
            seen += piece
        return seen.startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), 5)
    ask(client)
    if not answered(client):
        raise Failure("a new connection got no answer")
    return client


def settle(server, requests):
    load = ["h2load", "--h1", "-m1", "-c16", f"-n{requests}", server.url()]
    subprocess.run(load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    time.sleep(1)


def measure(command, count=4000, settling=20_000):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < count + 100:
        raise Failure(f"{count} connections need more descriptors than {limit}: raise `ulimit -n`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with Server(command) as server:
        settle(server, settling)
        before = server.private()
        clients = [connect(server.port) for _ in range(count)]
        time.sleep(1)
        after = server.private()
        for client in clients:
            ask(client)
        alive = sum(map(answered, clients))
        for client in clients:
            client.close()
    return {"bytes": (after - before) / count, "still answering": alive}


if __name__ == "__main__":
    main(__doc__, measure, "-n", 4000, "CONNECTIONS")
