"""Submission to a REANA that takes 20 requests a second: at four fifths of that, and never beyond it."""

import time
from pathlib import Path

from tests.benchmarks.reana import Scene, postgres, scene
from tests.benchmarks.table import Figure

_LIMIT = 20


def submit(place: Path) -> list[Figure]:
    """By one process."""
    with scene(place) as here:
        return _submitted("submission", here, replicas=1)


def submit_by_two(place: Path) -> list[Figure]:
    """By two replicas on PostgreSQL."""
    with postgres() as url, scene(place, url=url) as here:
        return _submitted("submission by two replicas", here, replicas=2)


def _submitted(what: str, here: Scene, *, replicas: int, count: int = 150) -> list[Figure]:
    here.fill(queued=count, waiting=0, running=0)
    here.fake.schedule(most_running=0)
    here.fake.limit(_LIMIT)
    with here.bridges(replicas, concurrency=20_000):
        until = time.monotonic() + 110
        while sum(one.status == "queued" for one in here.fake.workflows()) < count:
            if time.monotonic() > until:
                raise RuntimeError(f"only {len(here.fake.workflows())} of {count} were submitted")
            time.sleep(0.2)
    asked = here.requests(0.0)
    refused = sum(one.status == 429 for one in asked)
    starts = [one.at for one in asked if one.path.endswith("/start")]
    # The first and the last are about the bridges' own start, and about following.
    first, last = starts[len(starts) // 10], starts[-1]
    rate = sum(first <= one.at <= last for one in asked) / (last - first)
    hour = (len(starts) * 0.9 - 1) / (last - first) * 3600
    twice = len(here.fake.workflows()) - count
    return [
        Figure(f"{what}: requests refused with 429", f"{refused} of {len(asked)}", "none", refused == 0),
        Figure(f"{what}: requests a second, all together", f"{rate:.1f}", "at most 16", rate < 16.5),
        Figure(f"{what}: runs an hour", f"{hour:.0f}", "REANA's own load test: 1200", hour > 1200),
        Figure(f"{what}: runs submitted twice", f"{twice}", "none", twice == 0),
    ]
