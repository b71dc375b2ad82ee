#!/usr/bin/env -S python3 -B
"""HTTP servers under wrk, side by side: requests a second, latency, CPU time a request, memory.

  versus.py [-c CONNECTIONS] [-d SECONDS] [-r ROUNDS] [-s SCRIPT] [-p PATH] [-H HEADER] NAME='COMMAND with {port}' ...

The server has core 0, wrk core 1. CPU is that of all the server's processes: a busy machine blurs it less than req/s.
"""
import argparse
import contextlib
import os
import re
import socket
import subprocess
import threading
import time

from compare import compare, table
from server import ROOT, Failure, Server

UNITS = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}  # in ms


def wrk(url, connections, seconds, script=None, headers=()):
    """Runs wrk and gives (requests, requests a second, p50 ms, p99 ms, errors)."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10"]
    words += [word for header in headers for word in ("-H", header)]
    words += ["-s", os.path.join(ROOT, "bench/load", script)] if script else []
    done = subprocess.run([*words, url], capture_output=True, text=True)
    out = done.stdout
    requests = re.search(r"(\d+) requests in", out)
    if done.stderr or not requests or requests.group(1) == "0":
        raise Failure("no figure: " + (done.stderr or out).strip()[-200:])
    errors = re.findall(r"(?:connect|read|write|timeout|Non-2xx or 3xx responses:) (\d+)", out)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return int(requests.group(1)), rate, _latency(out, 50), _latency(out, 99), sum(map(int, errors))


def _latency(out, percent):
    number, unit = re.search(rf"^\s+{percent}%\s+([\d.]+)([a-z]+)", out, re.M).groups()
    return float(number) * UNITS[unit]


@contextlib.contextmanager
def held(port, paths):
    """Requests that stay under way for the length of the block; what they send is read and dropped."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in paths]
    ended = []

    def drain(path, client):
        with contextlib.suppress(OSError):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            while client.recv(65536):
                pass
        ended.append(path)

    for path, client in zip(paths, sockets):
        threading.Thread(target=drain, args=(path, client), daemon=True).start()
    time.sleep(0.2)
    yield
    if ended:
        raise Failure(f"the server ended {', '.join(ended)} before its time")
    for client in sockets:
        client.shutdown(socket.SHUT_RDWR)


def measure(command, seconds=3, connections=64, path="/", script=None, headers=(), holding=(), timed=True,
            scheme="http"):
    with Server(command) as server, held(server.port, holding):
        url = server.url(path, scheme)
        wrk(url, connections, 1, script, headers)  # the first second is not counted
        user, system = server.cpu()
        start = time.monotonic()
        requests, rate, p50, p99, errors = wrk(url, connections, seconds, script, headers)
        elapsed = time.monotonic() - start
        user, system = (now - before for now, before in zip(server.cpu(), (user, system)))
        cpu = user + system
        latency = {"p50 ms": p50, "p99 ms": p99} if timed else {}
        return {"req/s": rate, **latency, "CPU µs": cpu * 1e6 / requests, "in kernel": system / max(cpu, 0.01),
                "core busy": cpu / elapsed, "RSS MB": server.rss() / 1e6, "errors": errors}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-c", type=int, default=64, metavar="CONNECTIONS")
    arguments.add_argument("-d", type=int, default=3, metavar="SECONDS")
    arguments.add_argument("-r", type=int, default=3, metavar="ROUNDS")
    arguments.add_argument("-s", metavar="SCRIPT", help="a file of bench/load")
    arguments.add_argument("-p", default="/", metavar="PATH")
    arguments.add_argument("-H", action="append", default=[], metavar="HEADER")
    arguments.add_argument("servers", nargs="+", metavar="NAME=COMMAND")
    given = arguments.parse_args()
    commands = dict(server.split("=", 1) for server in given.servers)
    results = compare(commands, lambda c: measure(c, given.d, given.c, given.p, given.s, given.H), given.r)
    print(table(results, next(iter(commands)), "CPU µs"))


if __name__ == "__main__":
    main()
