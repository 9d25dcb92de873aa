"""A metric's value with its uncertainty, rounded to it: `4.21 ± 0.12`, `4.21 +0.12 -0.10`.

Where the file tells sources of the uncertainty apart, two of them are shown each by itself:
`4.21 ± 0.10 (stat) +0.07 -0.05 (syst)`. Value and sizes get the same decimals: two significant digits of the
largest size, more where the smallest would otherwise vanish.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reana_bridge.model.metrics import Metric
from reana_bridge.reports.numbers import exact, exponent, scaled, show, show_pair

_SHORT = {"statistical": "stat", "systematic": "syst"}
_MOST_PARTS = 2
_DIGITS = 17
"""Significant digits that a float has."""


@dataclass(frozen=True)
class _Size:
    """One standard deviation up and down, and what it comes from (empty for the whole)."""

    up: float
    down: float
    source: str = ""


def show_metric(metric: Metric) -> str:
    """The value of `metric`, alone, without its unit."""
    sizes = _sizes(metric)
    value = metric.value
    if not sizes or isinstance(value, str | bool) or not math.isfinite(value):
        return show(value, metric.uncertainty)
    return _written(value, sizes) or show(value, metric.uncertainty)


def show_metrics(before: Metric, after: Metric) -> tuple[str, str]:
    """Two values of one metric, with so many decimals that their difference shows."""
    if before is after or _written_alike(before, after):
        shown = show_metric(after)
        return shown, shown
    if _sizes(before) or _sizes(after):
        return show_metric(before), show_metric(after)
    return show_pair(before.value, after.value, (before.uncertainty, after.uncertainty))


def _written_alike(before: Metric, after: Metric) -> bool:
    """Whether nothing that is shown differs: most metrics of most comparisons have not changed."""
    if type(before.value) is not type(after.value) or before.value != after.value:
        return False
    shown = ((one.uncertainty, one.up, one.down, one.parts) for one in (before, after))
    return next(shown) == next(shown)


def _sizes(metric: Metric) -> tuple[_Size, ...]:
    """The uncertainties to write; none where a symmetric one, or none, is all there is."""
    parts = metric.parts
    if 0 < len(parts) <= _MOST_PARTS:
        sizes = tuple(_Size(part.up, part.down, _SHORT.get(part.name, part.name)) for part in parts)
    elif metric.up is not None and metric.down is not None and metric.up != metric.down:
        sizes = (_Size(metric.up, metric.down),)
    else:
        return ()
    usable = all(math.isfinite(size) and size >= 0 for one in sizes for size in (one.up, one.down))
    return sizes if usable and any(one.up or one.down for one in sizes) else ()


def _written(value: float | int, sizes: Sequence[_Size]) -> str:
    """Value and sizes; empty where a float of this size cannot show them."""
    each = [_rounded(size) for one in sizes for size in (one.up, one.down) if size]
    decimals = max(1 - exponent(max(each)), -exponent(min(each)))
    size = exponent(max(abs(exact(value)), *each))
    if size + decimals > _DIGITS:
        return ""
    shift = 0 if -4 <= size <= 5 else size
    texts = [scaled(exact(value), decimals, shift)]
    for one in sizes:
        up, down = (
            scaled(_rounded(side) if side else Decimal(0), decimals, shift) for side in (one.up, one.down)
        )
        texts.append(f"\u00b1 {up}" if up == down else f"+{up} -{down}")
        if one.source:
            texts.append(f"({one.source})")
    text = " ".join(texts)
    return f"({text})e{shift:+03d}" if shift else text


def _rounded(size: float) -> Decimal:
    return Decimal(f"{size:.1e}")
