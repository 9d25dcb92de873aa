"""Makes the statistical tests behind verdicts, each with all that is needed to make it again.

    pull              (b - a) / sqrt(u_a^2 + u_b^2 - 2 rho u_a u_b), by the metric's own uncertainties
    t, z, mad, iqr    b against the values of the last runs on the default branch

The formulas are in `statistics.py`. Sigmas are those of a normal distribution in every test: `sigmas: 3`
limits each to what happens with p < 0.0027 when nothing has changed, whatever that is in its own units.
Whether a test stands among all tests of a report is not decided here: see `correction.py`.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from reana_bridge.model.analyses import HistoryTest
from reana_bridge.model.comparisons import Test
from reana_bridge.model.metrics import Metric
from reana_bridge.results.histories import Sample
from reana_bridge.results.statistics import (
    ROBUST_FREEDOM,
    Tested,
    difference_sigma,
    iqr_test,
    is_constant,
    mad_test,
    normal_limit,
    normal_p,
    same,
    student_limit,
    student_p,
    t_test,
    z_test,
)

PULL = "pull"
VERSIONS = {PULL: 1, HistoryTest.T: 1, HistoryTest.Z: 1, HistoryTest.MAD: 1, HistoryTest.IQR: 1}
"""Of each test's formula; counted up with any change of what it computes."""

_AGAINST: dict[str, Callable[[float, Sequence[float]], Tested]] = {
    HistoryTest.T: t_test,
    HistoryTest.Z: z_test,
    HistoryTest.MAD: mad_test,
    HistoryTest.IQR: iqr_test,
}
_FARTHEST = 37.0  # sigmas; beyond, a p-value is no float any more


def pull(
    baseline: Metric, head: Metric, *, sigmas: float, correlation: float = 0.0, explanation: str = ""
) -> Test | None:
    """The difference in units of its own uncertainty.

    Of an asymmetric uncertainty the side that faces the other value counts.

    Args:
        baseline: With a finite number.
        head: With a finite number.
        sigmas: The limit.
        correlation: Between the two values, from -1 to 1.
        explanation: Kept with the test.

    Returns:
        None where a side has no uncertainty, or the difference has none for certain (both are 0, or they are
        equal and fully correlated).
    """
    before, after = _finite(baseline.value), _finite(head.value)
    rises = after > before
    one, other = _side(baseline, up=rises), _side(head, up=not rises)
    if one is None or other is None:
        return None
    sigma = difference_sigma(one, other, correlation)
    if not sigma:
        return None
    statistic = (after - before) / sigma
    return Test(
        name=PULL,
        version=VERSIONS[PULL],
        statistic=statistic if math.isfinite(statistic) else None,
        p_value=normal_p(statistic),
        limit=sigmas,
        correlation=correlation,
        significant=abs(statistic) > sigmas,
        explanation=explanation,
    )


def _side(metric: Metric, *, up: bool) -> float | None:
    """The uncertainty towards higher or lower values; None where it is unknown."""
    own = metric.up if up else metric.down
    size = metric.uncertainty if own is None else own
    return size if size is not None and 0 <= size < math.inf else None


def _finite(value: float | int | str | bool) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    return number


def against(name: HistoryTest, value: float, sample: Sample, *, sigmas: float, minimum_runs: int) -> Test:
    """A finite value against what the default branch had.

    Args:
        name: Which test.
        value: This commit's value.
        sample: Values of the default branch.
        sigmas: The limit, in standard deviations of a normal distribution.
        minimum_runs: With fewer values nothing is judged; 4 at least count.
    """
    values, size = sample.values, len(sample.values)
    since = f" since {sample.since[:7]}" if sample.since else ""
    if size < max(minimum_runs, 4):
        few = f"{size} of {max(minimum_runs, 4)} runs{since}"
        return Test(name=name, version=VERSIONS[name], sample=values, explanation=few)
    if is_constant(values):
        explanation = f"never moved in {size} runs{since}"
    else:
        explanation = f"{size} runs{since}" if since else f"the last {size} runs"
    return _measured(name, value, values, limit=_limit(name, sigmas, size), explanation=explanation)


@lru_cache(maxsize=4096)
def _limit(name: HistoryTest, sigmas: float, size: int) -> float:
    """The limit in the test's own units."""
    if name is HistoryTest.Z or not sigmas:
        return sigmas
    return student_limit(normal_p(sigmas), _freedom(name, size))


def _measured(name: str, value: float, sample: tuple[float, ...], *, limit: float, explanation: str) -> Test:
    found = _AGAINST[name](value, sample)
    significant: bool | None = None
    if found.constant:
        significant = not same(value, found.centre)
    elif found.statistic is not None:
        significant = abs(found.statistic) > limit
    else:
        explanation = f"{explanation}, whose spread cannot be computed"
    return Test(
        name=name,
        version=VERSIONS[name],
        statistic=found.statistic,
        p_value=found.p_value,
        limit=limit,
        sample=sample,
        significant=significant,
        explanation=explanation,
    )


def made_again(test: Test, baseline: Metric | None, head: Metric | None) -> Test:
    """The same test, computed once more from what is stored, before any correction.

    Raises:
        ValueError: It was made by another version of the formula, or not of these metrics.
    """
    if VERSIONS.get(test.name) != test.version:
        raise ValueError(
            f"the test `{test.name}` was made by version {test.version} of its formula; "
            f"this program has {VERSIONS.get(test.name, 'none')}"
        )
    if test.significant is None or head is None:
        return test
    if test.name != PULL:
        value = _finite(head.value)
        return _measured(test.name, value, test.sample, limit=test.limit, explanation=test.explanation)
    if baseline is None:
        raise ValueError("a pull needs a baseline")
    again = pull(
        baseline, head, sigmas=test.limit, correlation=test.correlation, explanation=test.explanation
    )
    if again is None:
        raise ValueError(f"`{head.name}` has no uncertainty, yet a pull was made of it")
    return again


def is_tolerance(test: Test, share: float) -> bool:
    """Whether the test's limit is crossed by chance more often than in the part `share` of all cases."""
    return test.significant is not None and _p_at(test.name, test.limit, len(test.sample)) > share


@lru_cache(maxsize=4096)
def _p_at(name: str, limit: float, size: int) -> float:
    if name in (PULL, HistoryTest.Z):
        return normal_p(limit)
    return student_p(limit, _freedom(name, size))


def _freedom(name: str, size: int) -> float:
    return (size - 1) * (1.0 if name == HistoryTest.T else ROBUST_FREEDOM)


def sigmas_of(test: Test) -> float | None:
    """How many standard deviations of a normal distribution the test amounts to, without sign."""
    if test.name == PULL:
        return None if test.statistic is None else abs(test.statistic)
    if test.p_value is None:
        return None
    return normal_limit(test.p_value) if test.p_value > 1e-300 else _FARTHEST


def measured_words(test: Test) -> str:
    """`4.2 sigma`, `4.2 sigma from the last 20 runs`, `never moved in 20 runs`: what a judged test found."""
    size = sigmas_of(test)
    if size is None:
        return test.explanation or "far more than any noise"
    shown = f"{size:.3g}" if test.significant else f"{size:.1f}"
    return f"{shown} sigma" if test.name == PULL else f"{shown} sigma from {test.explanation}"
