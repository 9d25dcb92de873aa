"""`python -m tests.benchmarks [--only NAME] [--json]`: measure, and print a table."""

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from reana_bridge import __version__
from tests.benchmarks import accept, forges, pages, reana, results, runs, submitting, tables
from tests.benchmarks.table import Figure

ALL: dict[str, Callable[[Path], list[Figure]]] = {
    "idle": runs.idle,
    "latency": runs.latency,
    "accept": accept.measure,
    "queue": runs.queue,
    "pending": forges.pending,
    "shown": forges.shown,
    "pages": pages.measure,
    "follow": reana.follow,
    "follow-by-two": reana.follow_by_two,
    "follow-all": reana.follow_all,
    "submit": submitting.submit,
    "submit-by-two": submitting.submit_by_two,
    "results": results.measure,
    "tables": tables.measure,
}


def machine() -> str:
    """One line on where this was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    cores = f"{os.cpu_count()} cores"
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{model}, {cores}, Linux {platform.release()}, {python}, reana-bridge {__version__}"


def main() -> int:
    """Measure what was asked for; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--only", choices=sorted(ALL), action="append", help="measure only this; repeat")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    figures: list[Figure] = []
    for name in given.only or ALL:
        sys.stderr.write(f"measuring {name} ...\n")
        with tempfile.TemporaryDirectory(prefix="reana-bridge-bench-") as place:
            figures += ALL[name](Path(place))
    if given.json:
        print(json.dumps({"machine": machine(), "figures": [asdict(figure) for figure in figures]}, indent=2))
    else:
        table = Table("figure", "measured", "target", "", title=machine(), title_justify="left")
        for figure in figures:
            mark = {True: "reached", False: "MISSED", None: ""}[figure.reached]
            table.add_row(figure.name, figure.value, figure.target, mark)
        Console(width=120).print(table)
    return int(any(figure.reached is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
