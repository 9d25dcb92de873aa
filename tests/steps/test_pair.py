"""The report on any two runs: their files as what they are, their metrics beside what the branch had."""

import threading
from typing import Any

import pytest

from reana_bridge.results.correction import recomputed
from reana_bridge.steps.comparing import pair as pair_module
from reana_bridge.steps.comparing.pair import pair_report
from tests.steps.house import House

BLOCK = "files: [{path: results/*.csv, relative: 10%, effect: block}]\n"


def pair(house: House, before: Any, after: Any) -> Any:
    report = pair_report(house.bridge, house.run(before.id), house.run(after.id))
    assert report == pair_report(house.bridge, house.run(before.id), house.run(after.id))
    assert recomputed(report.comparison) == report.comparison
    return report


def left(house: House, branch: str, number: float, files: dict[str, bytes], bridge: str = BLOCK) -> Any:
    sha = house.commit(branch, {"n": f"{branch} {number}", ".reana-bridge.yaml": bridge})
    house.push(branch)
    return house.end(house.run_of(sha), {"m": number}, files)


FILES = {
    "same.csv": (b"a\n1.0\n", b"a\n1.0\n", "identical", "", False),
    "near.csv": (b"a\n1.0\n", b"a\n1.05\n", "within tolerance", "at most by 5 %", False),
    "far.csv": (b"a\n1.0\n", b"a\n1.5\n", "different", "at most by 50 %", True),
    "x.json": (b'{"a": 1}', b'{"a": 2}', "different", "1 of 1 values", False),
    "x.npy": (b"\x93NUMPY", b"\x93NUMPZ", "not comparable", "", False),
    "gone.csv": (b"a\n1.0\n", b"a\n7.0\n", "not comparable", "no longer kept", True),
}


def test_files_are_compared_as_what_they_are(one: House) -> None:
    sides = [{f"results/{name}": case[side] for name, case in FILES.items()} for side in (0, 1)]
    first = left(one, "main", 1.0, sides[0])
    left(one, "main", 2.0, {})
    last = left(one, "main", 3.0, sides[1])
    kept = {each["path"]: each["digest"] for each in one.run(last.id).result["artifacts"]}
    one.bridge.blobs.path(kept["results/gone.csv"]).unlink()
    comparison = pair(one, first, last).comparison
    found = {each.path.removeprefix("results/"): each for each in comparison.files}
    for name, (_, _, verdict, words, broken) in FILES.items():
        each = found[name]
        assert (each.verdict, words in each.explanation) == (verdict, True), each
        assert any(rule.broken for rule in each.rules) is broken, each
    assert comparison.blocked


@pytest.mark.parametrize(("seconds", "turns"), [(0, 2), (0.01, 0)])
def test_time_is_limited_while_somebody_waits(
    make_house: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, seconds: float, turns: int
) -> None:
    monkeypatch.setattr(pair_module, "_TURNS", threading.Semaphore(turns))
    house = make_house(sqlite_url, limits={"pair_seconds": seconds})
    runs = [left(house, "main", float(n), {"results/x.csv": b"a\n%d\n" % n}) for n in range(3)]
    (found, *_) = pair(house, runs[0], runs[2]).comparison.files
    assert "no time was left: all files together may take 0 s" in found.explanation


def test_metrics_are_judged_by_what_the_branch_had_when_the_run_was(one: House) -> None:
    runs = [left(one, "main", 10 + 0.1 * (n % 3), {}) for n in range(9)]
    head = left(one, "topic", 20.0, {})
    (metric,) = pair(one, runs[2], head).comparison.metrics
    assert "sigma from the last 9 runs" in metric.explanation
    left(one, "main", 10.1, {})
    (again,) = pair(one, runs[2], head).comparison.metrics
    assert again == metric
