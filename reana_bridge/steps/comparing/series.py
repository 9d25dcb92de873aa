"""Draws the series of metrics that went another way than the baseline's."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.drawn import Picture
from reana_bridge.model.metrics import Metric
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.isolation import Answer, IsolationLimits, Item, run_each
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.pictures import take_over

MAX_DRAWN = 20
_SHORTEST = 2


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What was drawn of metrics.

    Attributes:
        pictures: By the metric's name.
        kept: The pictures' content.
    """

    pictures: dict[str, Picture] = field(default_factory=dict[str, Picture])
    kept: tuple[Artifact, ...] = ()


def draw_series(bridge: Bridge, baseline: Result | None, head: Result) -> Drawn:
    """Overlays of the metrics that went another way, kept."""
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        found = drawn_series(baseline, head, output=Path(place), limits=bridge.isolation)
        kept = take_over(bridge, found.values(), Path(place))
    pictures = {name: picture for name, picture in found.items() if picture.digest in kept}
    return Drawn(pictures=pictures, kept=tuple(kept.values()))


def drawn_series(
    baseline: Result | None, head: Result, *, output: Path, limits: IsolationLimits
) -> dict[str, Picture]:
    """By name, overlays of at most `MAX_DRAWN` metrics of which both sides have a series, and not the same.

    Args:
        baseline: What the baseline left; None for none.
        head: What this side left.
        output: A directory for the pictures.
        limits: What drawing each may take.
    """
    before = {metric.name: metric for metric in baseline.metrics} if baseline else {}
    pairs = [(before[metric.name], metric) for metric in head.metrics if metric.name in before]
    moved = [pair for pair in pairs if _is_drawn(*pair)][:MAX_DRAWN]
    if not moved:
        return {}
    items = [Item(job={"baseline": to_data(old), "head": to_data(new)}) for old, new in moved]
    answers = run_each("draw", items, output=output, limits=limits)
    return _pictures([new.name for _, new in moved], answers)


def with_pictures(comparison: Comparison, pictures: Mapping[str, Picture]) -> Comparison:
    """The comparison, its metrics with what was drawn of them."""
    if not pictures:
        return comparison
    metrics = (
        replace(metric, pictures=(pictures[metric.name],)) if metric.name in pictures else metric
        for metric in comparison.metrics
    )
    return replace(comparison, metrics=tuple(metrics))


def _is_drawn(before: Metric, after: Metric) -> bool:
    long_enough = min(len(before.series), len(after.series)) >= _SHORTEST
    return long_enough and before.series != after.series


def _pictures(names: Sequence[str], answers: Sequence[Answer]) -> dict[str, Picture]:
    """Those that were drawn; a metric whose picture failed is shown without one."""
    found: dict[str, Picture] = {}
    for name, answer in zip(names, answers, strict=True):
        try:
            if not answer.problem:
                found[name] = from_data(Picture, answer.value)
        except CodecError:
            continue
    return found
