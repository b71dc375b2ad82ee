#!/usr/bin/env -S python3 -B
"""What a cluster with a Rails application keeps in memory.

  memory.py NAME='COMMAND with {port}' ...

Each server gets the same requests: 4,000 in all for the pages of examples/rails, over 16 connections. Two seconds later its
processes' shares (PSS) are added up: a page that two of them share counts half in each, so the sum is what the machine has less.
"""
import subprocess
import sys
import tempfile
import time
import urllib.request

from compare import compare, table
from server import Server

PAGES = ("/", "/notes/new", "/notes/export", "/remarks")


def warm_up(server):
    urls = [server.url(page) for page in PAGES]
    for url in urls:
        urllib.request.urlopen(url, timeout=60).read()  # an answer that is an error raises
    for _ in range(4):  # new connections, so that all workers have some
        subprocess.run(["h2load", "--h1", "-m1", "-c16", "-n1000", *urls], check=True, timeout=300,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)


def measure(command):
    with tempfile.TemporaryDirectory() as storage, Server(f"NOTEBOOK_STORAGE={storage} {command}") as server:
        warm_up(server)
        return {"PSS MB": server.pss() / 1e6, "private MB": server.private() / 1e6, "processes": server.count()}


def main():
    commands = dict(server.split("=", 1) for server in sys.argv[1:])
    print(table(compare(commands, measure, 1)))


if __name__ == "__main__":
    main()
