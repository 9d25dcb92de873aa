"""What the default branch has had of each metric, and which of its values give the spread.

Values count from the last change of level on: what a commit moved on purpose is no noise. Of many metrics
some seem to move by chance alone, and would lose their history: a change must stand among all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reana_bridge.model.comparisons import History
from reana_bridge.model.metrics import Metric
from reana_bridge.results.changepoints import LEVEL, find_changes


@dataclass(frozen=True, kw_only=True)
class Series:
    """The values of one metric, all in one unit, oldest first.

    Attributes:
        values: Finite.
        places: For each value the index of its run in the history.
        unit: As the newest run has it.
        accepted: Whether the first value is a change that somebody accepted; what was before is left out.
    """

    values: tuple[float, ...]
    places: tuple[int, ...]
    unit: str = ""
    accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The values that a new one is tested against.

    Attributes:
        values: Oldest first.
        since: The commit from which on they are, where the metric moved there; empty else.
    """

    values: tuple[float, ...] = ()
    since: str = ""


@dataclass(frozen=True, kw_only=True)
class Past:
    """The runs on the default branch up to the baseline, and what they left.

    Attributes:
        runs: The runs, oldest first.
        series: By metric; one that no run has is not there.
    """

    runs: History = field(default_factory=History)
    series: Mapping[str, Series] = field(default_factory=dict[str, Series])


class Samples:
    """Samples out of a past, each found once."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._found: dict[tuple[str, int], Sample] = {}

    def of(self, metric: Metric, runs: int) -> Sample:
        """The values of the last `runs` runs since the metric's last change; none in another unit."""
        key = (metric.name, runs)
        if key not in self._found:
            self._found[key] = self._cut(metric.name, runs)
        series = self._past.series.get(metric.name)
        other = series is not None and series.unit and metric.unit and series.unit != metric.unit
        return Sample() if other else self._found[key]

    def _cut(self, name: str, runs: int) -> Sample:
        series = self._past.series.get(name)
        if series is None or not series.values:
            return Sample()
        values = series.values[-runs:]
        metrics = len(self._past.series)
        changes = [change for change in find_changes(values) if change.p_value * metrics <= LEVEL]
        if not changes:
            since = self._commit(series, 0) if series.accepted and len(series.values) <= runs else ""
            return Sample(values=values, since=since)
        index = changes[-1].index
        left_out = len(series.values) - len(values)
        return Sample(values=values[index:], since=self._commit(series, left_out + index))

    def _commit(self, series: Series, index: int) -> str:
        return self._past.runs.shas[series.places[index]]
