"""A pair of tables of 100 MB each, compared in the process that opens files of others."""

import contextlib
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from tests.benchmarks.table import Figure

SIZE = 100 * 10**6
COLUMNS = 8
_MOST_MEMORY = 256 << 20


def measure(place: Path) -> list[Figure]:
    """Every number of one column differs in its last digits, one row by a percent."""
    before, after = place / "before.csv", place / "after.csv"
    rows = _write(before, after)
    wanted = [Wanted(path="x.csv", baseline=before, head=after, rule=FileRule(path="*", relative=1e-6))]
    started = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(compare_contents, wanted, limits=Limits())
        peak, seconds = _watched(work)
    (found,), clock = work.result(), time.perf_counter() - started
    told = f"{found.verdict.value}: {found.explanation[:60]}"
    return [
        Figure(
            f"two tables of {SIZE // 10**6} MB, {rows:,} rows: peak memory of the process",
            f"{peak / (1 << 20):.0f} MiB",
            f"< {_MOST_MEMORY >> 20} MiB",
            peak < _MOST_MEMORY,
        ),
        Figure(
            "the same: processor time",
            f"{seconds:.1f} s ({clock:.1f} s on the clock)",
            "< 60 s",
            seconds < 60,
        ),
        Figure("the same: what was found", told, "1 row differs", "1 of" in found.explanation),
    ]


def _write(before: Path, after: Path) -> int:
    dice = random.Random(1)
    rows = 0
    with before.open("w") as old, after.open("w") as new:
        names = ",".join(f"c{i}" for i in range(COLUMNS)) + "\n"
        old.write(names)
        new.write(names)
        while old.tell() < SIZE:
            values = [dice.gauss(0, 1) for _ in range(COLUMNS)]
            head = [values[0] * (1.01 if rows == 1000 else 1 + 1e-9), *values[1:]]
            old.write(",".join(map(repr, values)) + "\n")
            new.write(",".join(map(repr, head)) + "\n")
            rows += 1
    return rows


def _watched(work: "Future[list[FileComparison]]") -> tuple[int, float]:
    """Peak of memory in bytes and processor seconds of the processes below this one, until `work` is done."""
    own, peak, seconds = psutil.Process(), 0, 0.0
    while not work.done():
        for child in own.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                peak = max(peak, child.memory_info().rss)
                times = child.cpu_times()
                seconds = max(seconds, times.user + times.system)
        time.sleep(0.02)
    return peak, seconds
