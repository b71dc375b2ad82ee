#!/usr/bin/env -S python3 -B
"""User-space instructions a request, by callgrind: the same twice, whatever else the machine does.

  instructions.py [-p PATH] [-a N1] [-b N2] 'COMMAND with {port}'

Runs the server twice under callgrind, with N1 and with N2 keep-alive requests of 16 clients (h2load), and divides the
difference of the totals by N2 - N1. The command must be one process that stops on SIGINT.
"""
import argparse
import glob
import re
import signal
import subprocess
import tempfile

from server import Failure, Server


def callgrind(folder):
    return ("taskset", "-c", "0", "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p",
            "--trace-children=yes")


def total(folder):
    totals = []
    for name in glob.glob(f"{folder}/out.*"):
        with open(name) as f:
            totals += re.findall(r"^(?:summary|totals): (\d+)", f.read(), re.M)[:1]
    if not totals:
        raise Failure("callgrind wrote no total: did the server stop on SIGINT?")
    return sum(map(int, totals))


def serve(command, requests, path):
    with tempfile.TemporaryDirectory() as folder:
        with Server(command, callgrind(folder)) as server:
            load = ["h2load", "--h1", "-m1", "-c16", f"-n{requests}", server.url(path)]
            out = subprocess.run(load, capture_output=True, text=True, timeout=300).stdout
            if f"{requests} succeeded" not in out:
                raise Failure("requests failed: " + out.strip()[-300:])
            server.stop(signal.SIGINT, 60)
        return total(folder)


def measure(command, few=1000, many=4000, path="/"):
    return {"instructions": (serve(command, many, path) - serve(command, few, path)) / (many - few)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-p", default="/", metavar="PATH")
    arguments.add_argument("-a", type=int, default=1000, metavar="N1")
    arguments.add_argument("-b", type=int, default=4000, metavar="N2")
    arguments.add_argument("command")
    given = arguments.parse_args()
    print(f"{measure(given.command, given.a, given.b, given.p)['instructions']:,.0f} instructions a request")


if __name__ == "__main__":
    main()
