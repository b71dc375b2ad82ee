"""Servers side by side: each round runs every server once, in turn, so that noise hits all alike."""
import argparse
import math
import statistics
import subprocess
import sys

from server import Failure

FORMATS = {  # column: how its figures are written, if not with one decimal
    "req/s": "{:,.0f}", "p50 ms": "{:.2f}", "p99 ms": "{:.2f}", "CPU µs": "{:.1f}", "in kernel": "{:.0%}",
    "core busy": "{:.0%}", "RSS MB": "{:.0f}", "errors": "{:,.0f}", "times": "{:,.0f}", "instructions": "{:,.0f}",
    "bytes": "{:,.0f}", "still answering": "{:,.0f}", "OPTIONS p50 ms": "{:.1f}", "OPTIONS p99 ms": "{:.1f}",
    "time-out of 1 s": "{:.1f} s", "a second": "{:,.0f}", "load's core": "{:.0%}", "PSS MB": "{:.0f}",
    "lost": "{:,.0f}", "doubled": "{:,.0f}", "reordered": "{:,.0f}", "not yet": "{:,.0f}", "bytes left": "{:,.0f}",
    "second adds": "{:,.0f}", "connect µs": "{:,.0f}", "open": "{:,.0f}", "core idle": "{:.1%}",
    "processes": "{:.0f}", "USR1 p99 ms": "{:.2f}",
}
WORST = {"lost", "doubled", "reordered", "not yet", "errors"}  # of these no run may have any


def compare(commands, measure, rounds):
    """commands: name → command line. measure(command) → {column: figure}. name → {column: median, or the worst}."""
    samples = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            try:
                samples[name].append(measure(command))
            except (Failure, OSError, subprocess.SubprocessError) as failure:
                print(f"{name}: {failure}", file=sys.stderr)
    return {name: summary(list_) for name, list_ in samples.items()}


def summary(samples):
    columns = dict.fromkeys(column for sample in samples for column in sample)
    return {column: (max if column in WORST else statistics.median)([s[column] for s in samples if column in s])
            for column in columns}


def table(results, base=None, column=None):
    """Markdown; with `base` one more column gives each server's `column` as a multiple of that server's."""
    columns = list(dict.fromkeys(c for figures in results.values() for c in figures))
    head = columns + ([f"{column} × {base}"] if base else [])
    lines = ["| server | " + " | ".join(head) + " |", "|---|" + "---:|" * len(head)]
    for name, figures in results.items():
        cells = [_cell(c, figures) for c in columns]
        if base:
            cells.append(ratio(figures, results.get(base, {}), column))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(column, figures):
    """A figure of which there was nothing to count is not a number."""
    figure = figures.get(column, math.nan)
    return "–" if math.isnan(figure) else FORMATS.get(column, "{:,.1f}").format(figure)


def ratio(figures, base, column):
    return f"{figures[column] / base[column]:.2f}" if column in figures and base.get(column) else "–"


def main(description, measure, option, default, value):
    """A program's command line: `[option value] NAME=COMMAND …`. Each server is measured once, with that number."""
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(option, dest="number", type=int, default=default, metavar=value)
    arguments.add_argument("servers", nargs="+", metavar="NAME=COMMAND")
    given = arguments.parse_args()
    commands = dict(server.split("=", 1) for server in given.servers)
    print(table(compare(commands, lambda command: measure(command, given.number), 1)))
