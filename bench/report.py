#!/usr/bin/env -S python3 -B
"""Runs every work and writes bench/RESULTS.md; with names of works, runs those and prints them.

  report.py [hello alone ws-echo …]
  report.py realtime                  writes that chapter of RESULTS.md anew

BENCH_SECONDS (3) and BENCH_ROUNDS (3) say how long; BENCH_HOME says where `bench/setup` put the peers.
"""
import os
import platform
import subprocess
import sys

import peers
from compare import compare, table
from realtime_works import REALTIME
from server import ROOT
from works import ROUNDS, SECONDS, WORKS

RESULTS = os.path.join(ROOT, "bench", "RESULTS.md")

INTRO = """# Results

Written by `rake bench`: one run, each server in turn, {rounds} rounds of {seconds} s, medians. The server has core 0,
the load (wrk, one thread) core 1. *CPU µs* is user and system time of all the server's processes for one request,
which a busy machine blurs least; *in kernel* is the system part of it; *core busy* is how much of its core the server
used: below 100 % something else was the limit. Figures of different runs or machines don't compare; ratios do.

- machine: {machine}
- {ruby}
- this gem: iodine {version} (rack {rack})
- beside: {others}
"""

REALTIME_INTRO = """# Real time

One run of its own (`bench/run realtime`), {rounds} rounds of {seconds} s, medians. The load is wsload on core 1, its
share of that core is *load's core*: near 100 % a figure is the load's limit. *CPU µs* is for one message, or for one
delivery of a broadcast. *Lost* is a message after which a later one came; *not yet* what was still missing five seconds
after the end; *errors* are messages with wrong content, and connections that failed or ended.

- machine: {machine}
- {ruby}
- this gem: iodine {version} (rack {rack})
- beside: {others}
"""

GOALS = """Bounds in µs, ms and requests a second hold for the reference machine (two shared cores), the others for any.
"""


def first_line(*words):
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip().split("\n")[0]


def machine():
    with open("/proc/cpuinfo") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{os.cpu_count()} cores{', ' + models[0] if models else ''}, {platform.system()} {platform.release()}"


def intro(text, homes):
    return text.format(rounds=ROUNDS, seconds=SECONDS, machine=machine(), ruby=first_line("ruby", "--version"),
                        version=first_line("ruby", "-Ilib", "-riodine/version", "-e", "puts Iodine::VERSION"),
                        rack=peers.version("iodine", "rack"), others=", ".join(peers.versions(homes)))


def section(work, results):
    commands = "\n".join(f"{name}: {' '.join(command.split())}" for name, command in work.commands.items())
    return f"""## {work.title}

{work.what}

{table(results, work.base, work.column)}

**Limit:** {work.limit}

<details><summary>Command lines</summary>

```
{commands}
```

</details>
"""


def goal_row(goal, results):
    sign = "≥" if goal.least else "≤"
    try:
        value = goal.figure(results)
    except KeyError:
        return f"| {goal.text} | {sign} {goal.bound:,}{goal.unit} | not measured | |"
    reached = value >= goal.bound if goal.least else value <= goal.bound
    shown = f"{value:,.0f}" if max(goal.bound, value) >= 100 else f"{value:.2f}"
    return f"| {goal.text} | {sign} {goal.bound:,}{goal.unit} | {shown}{goal.unit} | {'yes' if reached else '**no**'} |"


class Chapter:
    """The works of one run, with their goals; RESULTS.md has two."""

    def __init__(self, title, text, homes):
        self.title, self.intro = title, intro(text, homes)
        self.sections, self.goals = [], ["| goal | bound | measured | reached |", "|---|---:|---:|---|"]

    def run(self, works, written=lambda: None):
        for work in works:
            print(f"{work.name} …", file=sys.stderr, flush=True)
            results = compare(work.commands, work.measure, work.rounds) | work.extra()
            self.sections.append(section(work, results))
            self.goals += [goal_row(goal, results) for goal in work.goals]
            written()  # each time: what was measured isn't lost

    def __str__(self):
        return "\n".join([self.intro, f"## {self.title}\n", GOALS, "\n".join(self.goals) + "\n", *self.sections])


def write(http=None, realtime=None):
    """The chapter that isn't given stays as it is."""
    with open(RESULTS) as f:
        text = f.read()
    before, mark, after = text.partition("# Real time\n")
    with open(RESULTS, "w") as f:
        f.write(f"{str(http or before).rstrip()}\n\n" + (str(realtime) if realtime else mark + after))


def main():
    names = sys.argv[1:]
    if names in ([], ["realtime"]):
        http = Chapter("Goals", INTRO, peers.HTTP)
        realtime = Chapter("Goals of real time", REALTIME_INTRO, peers.REALTIME)
        if not names:
            http.run(WORKS, lambda: write(http=http))
        realtime.run(REALTIME, lambda: write(realtime=realtime))
        return
    chosen = [work for work in WORKS + REALTIME if work.name in names]
    if not chosen:
        sys.exit(f"report.py: no such work; choose from: {' '.join(work.name for work in WORKS + REALTIME)}")
    chapter = Chapter("Goals", INTRO, peers.HTTP)
    chapter.run(chosen)
    print(chapter)


if __name__ == "__main__":
    main()
