"""What told changes from noise in a comparison: which tests, how many, corrected how."""

from collections.abc import Iterator, Sequence

from reana_bridge.model.comparisons import Comparison, Test
from reana_bridge.reports.numbers import SIGMA, percent, show
from reana_bridge.reports.words import plural

_PULL = "pull"
_NAMES = {"t": "t-test", "z": "z-test", "mad": "median absolute deviation", "iqr": "interquartile range"}


def limits_line(comparison: Comparison) -> str:
    """One clause, such as `pull at 3 sigma, 14 tests, Benjamini-Hochberg at 5 %`; empty without tests."""
    tests = list(_tests(comparison))
    judged = [test for test in tests if test.significant is not None]
    parts = [*_pulls(judged), *_histories(judged)]
    if parts and comparison.tests:
        share = percent(comparison.false_discovery).removeprefix("+").replace(".0 ", " ")
        parts += [plural(comparison.tests, "test"), f"Benjamini-Hochberg at {share}"]
    few = sum(one.test is not None and one.test.significant is None for one in comparison.metrics)
    if few:
        parts.append(f"too little history for {plural(few, 'metric')}")
    return ", ".join(parts)


def _tests(comparison: Comparison) -> Iterator[Test]:
    for compared in comparison.metrics:
        if compared.test is not None:
            yield compared.test
        yield from (rule.test for rule in compared.rules if rule.test and not rule.proposed)


def _pulls(tests: Sequence[Test]) -> Iterator[str]:
    limits = sorted({test.limit for test in tests if test.name == _PULL})
    if limits:
        yield f"{_PULL} at {' and '.join(show(limit) for limit in limits[:3])} {SIGMA}"


def _histories(tests: Sequence[Test]) -> Iterator[str]:
    for name, words in _NAMES.items():
        sizes = [len(test.sample) for test in tests if test.name == name]
        if sizes:
            yield f"{words} against {plural(max(sizes), 'run')}"
