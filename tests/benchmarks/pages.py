"""The page of a comparison with 1,000 metrics, and the note on 10,000."""

import asyncio
import statistics
import time
from dataclasses import replace
from pathlib import Path

import httpx

from reana_bridge.model.metrics import Metric
from reana_bridge.reports.markdown import note
from reana_bridge.web.app import make_app
from tests.benchmarks.table import Figure
from tests.reports.samples import AFTER, BEFORE, finished
from tests.web.world import World, fill, make_bridge

LIMIT = 60_000


def measure(place: Path) -> list[Figure]:
    """The page as the app answers, without a network; the note as it is rendered."""
    bridge = make_bridge(place)
    world = fill(bridge, history=50, metrics=1000)
    try:
        took, cpu, size = asyncio.run(_asked(world, f"/comparisons/{world.comparison}"))
    finally:
        bridge.close()
    name = "page of a comparison of 1,000 metrics, 50 runs of history"
    return [
        Figure(f"{name}, median", f"{took:.3f} s", "below 0.2 s", took < 0.2),
        Figure("the same, processor time", f"{cpu:.3f} s, {size >> 10} KiB", ""),
        *_note(),
    ]


async def _asked(world: World, path: str, times: int = 15) -> tuple[float, float, int]:
    transport = httpx.ASGITransport(app=make_app(world.bridge))
    headers = {"authorization": f"Bearer {world.tokens['operator']}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bridge.test", headers=headers
    ) as client:
        size = len((await client.get(path)).content)
        took: list[float] = []
        before = time.process_time()
        for _ in range(times):
            begun = time.perf_counter()
            answer = await client.get(path)
            took.append(time.perf_counter() - begun)
            assert answer.status_code == 200
        return statistics.median(took), (time.process_time() - before) / times, size


def _note() -> list[Figure]:
    before = tuple(Metric(name=f"metric.{n:05}", value=float(n), uncertainty=0.5) for n in range(10_000))
    after = tuple(replace(metric, value=metric.value + 9.0) for metric in before)
    report = finished(replace(AFTER, metrics=after), before=replace(BEFORE, metrics=before))
    begun = time.process_time()
    length = len(note([report], limit=LIMIT))
    took = time.process_time() - begun
    fits = 0 < length <= LIMIT
    return [Figure("note on 10,000 metrics", f"{length} characters, {took:.2f} s", f"at most {LIMIT}", fits)]
