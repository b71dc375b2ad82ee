"""One server under test: started in a session of its own, counted by /proc, and stopped with all its children."""
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICK = os.sysconf("SC_CLK_TCK")

if os.cpu_count() < 2:
    sys.exit("bench: one core is too few: the server and the load need one each; run it on a machine with two")
os.sched_setaffinity(0, {1})  # the load's core, for this process and all it starts; servers have core 0

os.environ.setdefault("BENCH_HOME", os.path.expanduser("~/.cache/iodine-bench"))
os.environ["RACK_ENV"] = "production"
for name in ("RUBYOPT", "RUBYLIB", "GEM_HOME", "GEM_PATH", "BUNDLE_GEMFILE"):  # what `bundle exec rake` leaves behind
    os.environ.pop(name, None)


class Failure(Exception):
    """A server that did not start, or a load that gave no figure."""


def free_port():
    """Below the ports that the kernel gives to clients, so that no connection takes it meanwhile."""
    while True:
        port = random.randint(20000, 29999)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


class Server:
    """`COMMAND` is a line as in a shell, without pipes: VARIABLE=value words first, {port} and $NAMES are replaced."""

    def __init__(self, command, prefix=("taskset", "-c", "0")):
        self.port = free_port()
        words = shlex.split(os.path.expandvars(command.replace("{port}", str(self.port))))
        environment = dict(os.environ)
        while re.match(r"\w+=", words[0]):
            key, value = words.pop(0).split("=", 1)
            environment[key] = value
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*prefix, *words], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, start_new_session=True)

    def __enter__(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(0.5)
                return self
            except OSError:
                time.sleep(0.1)
        self.stop()
        self.log.seek(0)
        raise Failure("did not listen: " + (self.log.read().strip()[-300:] or "it said nothing"))

    def __exit__(self, *_):
        self.stop()

    def url(self, path="/", scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def stop(self, first=signal.SIGTERM, patience=3):
        """Asks once, waits, then kills whatever is left of the session."""
        for number, seconds in ((first, patience), (signal.SIGKILL, 3)):
            for pid, _ in self._processes():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and self.process.poll() is None:
                time.sleep(0.05)
        self.process.wait()

    def cpu(self):
        """Seconds of user and of system time, of every process."""
        stats = [stat for _, stat in self._processes()]
        return sum(int(s[11]) for s in stats) / TICK, sum(int(s[12]) for s in stats) / TICK

    def rss(self):
        """Resident bytes of every process."""
        return self._sum("status", r"VmRSS:\s+(\d+) kB")

    def private(self):
        """Bytes that are this server's alone, counted page by page (VmRSS lags behind)."""
        return self._sum("smaps_rollup", r"Private_\w+:\s+(\d+) kB")

    def pss(self):
        """Resident bytes, each page divided by the number of processes that have it."""
        return self._sum("smaps_rollup", r"^Pss:\s+(\d+) kB")

    def count(self):
        return len(self._processes())

    def _sum(self, file, pattern):
        total = 0
        for pid, _ in self._processes():
            try:
                with open(f"/proc/{pid}/{file}") as f:
                    total += sum(map(int, re.findall(pattern, f.read(), re.M)))
            except OSError:
                pass  # it ended meanwhile
        return total * 1024

    def _processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    stat = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(stat[3]) == self.process.pid:
                found.append((int(pid), stat))
        return found
