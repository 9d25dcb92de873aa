"""Puts what a project says of its metrics (unit, direction, target, description) onto what was read."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import translate

from reana_bridge.model.analyses import MetricHint
from reana_bridge.model.metrics import Direction, Metric


def name_matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a metric's name is `pattern`, or matches it as a glob (`*` crosses dots; case counts)."""
    matches = re.compile(translate(pattern)).match
    return lambda name: name == pattern or matches(name) is not None


def apply_hints(metrics: Sequence[Metric], hints: Sequence[MetricHint]) -> tuple[Metric, ...]:
    """The `metrics` with what the `hints` that match them say; a later hint wins over an earlier one.

    A hint wins over the file that a metric was read from: the project's word is the later one. A target
    without a direction means `Direction.TARGET`.
    """
    matchers = [(name_matcher(hint.name), hint) for hint in hints]
    return tuple(
        _hinted(metric, [hint for matches, hint in matchers if matches(metric.name)]) for metric in metrics
    )


def _hinted(metric: Metric, hints: Sequence[MetricHint]) -> Metric:
    for hint in hints:
        direction = hint.direction
        if direction is None:
            direction = metric.direction if hint.target is None else Direction.TARGET
        target = metric.target if hint.target is None else hint.target
        if direction is Direction.TARGET and target is None:
            direction = Direction.NONE
        metric = replace(
            metric,
            unit=hint.unit or metric.unit,
            description=hint.description or metric.description,
            direction=direction,
            target=target if direction is Direction.TARGET else None,
        )
    return metric
