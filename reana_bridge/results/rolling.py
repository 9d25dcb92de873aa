"""Several results taken as one: what a rolling baseline is.

Of each number the median over the runs that have it, with the standard error of a median as its uncertainty:
sqrt(pi / 2) s / sqrt(n), s the standard deviation over the n runs (Kenney and Keeping, Mathematics of
Statistics, part 2, for normal values); what is no number, and all files, are those of the newest run.
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
    spread = math.sqrt(math.pi / 2) * stdev(values) / math.sqrt(len(values))
    return replace(metric, value=median(values), uncertainty=spread, up=None, down=None, parts=())
