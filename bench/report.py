#!/usr/bin/env -S python3 -B
"""Runs every work and writes bench/RESULTS.md; with names of works, runs those and prints them.

  report.py [hello alone instructions …]

BENCH_SECONDS (3) and BENCH_ROUNDS (3) say how long; BENCH_HOME says where `bench/setup` put the peers.
"""
import os
import platform
import subprocess
import sys

import peers
from compare import compare, table
from server import ROOT
from works import ROUNDS, SECONDS, WORKS

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

GOALS = """Bounds in µs, ms and requests a second hold for the reference machine (two shared cores), the others for any.
"""


def first_line(*words):
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip().split("\n")[0]


def machine():
    with open("/proc/cpuinfo") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{os.cpu_count()} cores{', ' + models[0] if models else ''}, {platform.system()} {platform.release()}"


def intro():
    return INTRO.format(rounds=ROUNDS, seconds=SECONDS, machine=machine(), ruby=first_line("ruby", "--version"),
                        version=first_line("ruby", "-Ilib", "-riodine/version", "-e", "puts Iodine::VERSION"),
                        rack=peers.version("iodine", "rack"), others=", ".join(peers.versions()))


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
    shown = f"{value:,.0f}" if goal.bound >= 100 else f"{value:.2f}"
    return f"| {goal.text} | {sign} {goal.bound:,}{goal.unit} | {shown}{goal.unit} | {'yes' if reached else '**no**'} |"


def page(goals, sections):
    return "\n".join([intro(), "## Goals\n", GOALS, "\n".join(goals) + "\n", *sections])


def write(text):
    with open(os.path.join(ROOT, "bench", "RESULTS.md"), "w") as f:
        f.write(text)


def main():
    chosen = [work for work in WORKS if work.name in sys.argv[1:] or not sys.argv[1:]]
    if not chosen:
        sys.exit(f"report.py: no such work; choose from: {' '.join(work.name for work in WORKS)}")
    sections, goals = [], ["| goal | bound | measured | reached |", "|---|---:|---:|---|"]
    for work in chosen:
        print(f"{work.name} …", file=sys.stderr, flush=True)
        results = compare(work.commands, work.measure, work.rounds) | work.extra()
        sections.append(section(work, results))
        goals += [goal_row(goal, results) for goal in work.goals]
        if not sys.argv[1:]:
            write(page(goals, sections))  # each time: what was measured isn't lost
    if sys.argv[1:]:
        print(page(goals, sections))


if __name__ == "__main__":
    main()
