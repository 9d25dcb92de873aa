"""Several results taken as one: what a rolling baseline is.

Of each number the median over the runs that have it. A metric with an uncertainty gets the standard error of
that median: sqrt(pi / 2) s / sqrt(n), s the standard deviation over the n runs (Kenney and Keeping,
Mathematics of Statistics, part 2, for normal values). One without stays without, since this commit's value
has none to set beside it: its scatter is judged by the history. What is no number, and all files, are those
of the newest run.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median, stdev

from reana_bridge.model.metrics import Metric
from reana_bridge.model.results import Result


def together(results: Sequence[Result]) -> Result:
    """The result that stands for all `results`, the newest first; of a metric the newest run must have it.

    Raises:
        ValueError: there is none.
    """
    if not results:
        raise ValueError("a rolling baseline needs at least one result")
    newest = results[0]
    values: dict[str, list[float]] = {metric.name: [] for metric in newest.metrics}
    for result in results:
        for metric in result.metrics:
            number = _finite(metric)
            if number is not None and metric.name in values:
                values[metric.name].append(number)
    return replace(newest, metrics=tuple(_median(metric, values[metric.name]) for metric in newest.metrics))


def _finite(metric: Metric) -> float | None:
    if isinstance(metric.value, bool | str):
        return None
    try:
        number = float(metric.value)
    except OverflowError:  # a whole number beyond the floats
        return None
    return number if math.isfinite(number) else None


def _median(metric: Metric, values: Sequence[float]) -> Metric:
    if len(values) < 2 or _finite(metric) is None:
        return metric
    middle = replace(metric, value=median(values))
    if metric.uncertainty is None and metric.up is None and metric.down is None:
        return middle
    spread = math.sqrt(math.pi / 2) * stdev(values) / math.sqrt(len(values))
    return replace(middle, uncertainty=spread, up=None, down=None, parts=())
