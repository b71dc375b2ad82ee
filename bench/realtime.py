#!/usr/bin/env -S python3 -B
"""WebSockets and event streams under wsload, side by side.

  realtime.py [-r ROUNDS] LOAD [NAME='COMMAND with {port}' ...]

LOAD is one word: options and mode of wsload (see bench/load/wsload.c), such as 'echo 1000 2 64',
'--inflight 16 broadcast 1000 1 2 64 0' or 'idle 10000'. Without servers: the floor, this gem and iodine 0.7. The server
has core 0, wsload core 1. `COMMAND :: OPTIONS` has wsload's options for that server alone.
"""
import argparse
import os
import re
import shlex
import signal
import subprocess
import tempfile

import instructions as counter
from compare import compare, table
from peers import WSLIMIT, iodine, iodine07
from server import ROOT, Failure, Server

LEDGER = {"lost": "lost", "dup": "doubled", "reorder": "reordered", "undelivered": "not yet"}


def wsload(server, load):
    """Runs it and gives its figures by name."""
    words = [os.path.join(ROOT, "tmp/bench/wsload"), "--port", str(server.port), "--pid", str(server.process.pid)]
    done = subprocess.run([*words, *shlex.split(load)], capture_output=True, text=True)
    figures = {name: float(number) for name, number in re.findall(r"(\w+)=(-?[\d.]+)", done.stdout)}
    if not figures or "refused" in done.stderr:
        raise Failure("no figure: " + done.stderr.strip()[-200:])
    return figures


def serve(command, prefix=("taskset", "-c", "0")):
    """`COMMAND :: OPTIONS` has wsload's options for this server. Gives the server and them."""
    command, _, options = command.partition(" :: ")
    return Server(command, prefix), options


def measure(command, load):
    """Echo or broadcast. errors: messages with wrong content, and connections that failed or ended."""
    starting, options = serve(command)
    with starting as server:
        got = wsload(server, f"{options} {load}")
    seconds = {"a second": got["per_s"], "p50 ms": got["p50_us"] / 1e3, "p99 ms": got["p99_us"] / 1e3}
    server_side = {"CPU µs": got["us"], "in kernel": got["kernel"], "core busy": got["server_cpu"],
                   "load's core": got["load_cpu"], "PSS MB": got["pss_mb"]}
    wire = {"bytes": got["bytes"]} if "--deflate" in load else {}
    ledger = {column: got[name] for name, column in LEDGER.items() if name in got}
    return {**seconds, **server_side, **wire, **ledger, "errors": got["bad"] + got["closed"] + got["failed"]}


def measure_idle(command, load):
    """Two rounds on one server: what the first leaves behind, and what the second adds to it."""
    starting, options = serve(command)
    with starting as server:
        first, second = (wsload(server, f"{options} {load}") for _ in range(2))
    if not second["opened"]:
        raise Failure("it took no connection in the second round")
    return {"bytes": first["bytes"], "bytes left": first["left"],
            "second adds": (second["pss_held"] - first["pss_held"]) / second["opened"],
            "connect µs": first["connect_us"], "open": min(r["opened"] - r["closed"] for r in (first, second)),
            "core idle": first["idle_cpu"], "processes": first["processes"]}


def count(command, load):
    """Messages and instructions of a server's whole life under callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        starting, options = serve(command, counter.callgrind(folder))
        with starting as server:
            got = wsload(server, f"{options} {load}")
            server.stop(signal.SIGINT, 60)
        return got["total"], counter.total(folder)


def measure_instructions(command, load, few=1, many=4):
    """User-space instructions a message: {seconds} in the load is replaced; what both runs share cancels out."""
    messages, totals = zip(*(count(command, load.format(seconds=seconds)) for seconds in (few, many)))
    return {"instructions": (totals[1] - totals[0]) / (messages[1] - messages[0])}


def servers(load):
    app = "ws_echo" if "echo" in shlex.split(load) else "ws_broadcast"
    return {"floor": WSLIMIT, "iodine": iodine(app), "iodine 0.7": iodine07(app)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-r", type=int, default=1, metavar="ROUNDS")
    arguments.add_argument("load", metavar="LOAD")
    arguments.add_argument("servers", nargs="*", metavar="NAME=COMMAND")
    given = arguments.parse_args()
    commands = dict(server.split("=", 1) for server in given.servers) or servers(given.load)
    idle = "idle" in shlex.split(given.load)
    load = f"--path /echo {given.load}" if "echo" in shlex.split(given.load) else given.load
    results = compare(commands, lambda c: (measure_idle if idle else measure)(c, load), given.r)
    print(table(results, next(iter(commands)), "bytes" if idle else "CPU µs"))


if __name__ == "__main__":
    main()
