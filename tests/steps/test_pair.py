"""The report on any two runs: their files as what they are, their metrics beside what the branch had."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from reana_bridge.reports.pictured import drawn_pictures
from reana_bridge.results.correction import recomputed
from reana_bridge.steps.comparing import pair_files as pair_module
from reana_bridge.steps.comparing.files import look_into
from reana_bridge.steps.comparing.pair import pair_report
from reana_bridge.steps.comparing.pair_files import picture_name
from reana_bridge.steps.retain import DAY, Retain
from reana_bridge.store.tables import ArtifactRow, Run
from tests.steps.house import House
from tests.steps.test_comparing_contents import pdf
from tests.steps.test_comparing_files import dot

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


def kept(house: House, run: Any, kind: str = "pair") -> set[str]:
    return {row.path for row in house.rows(ArtifactRow) if (row.run_id, row.kind) == (run.id, kind)}


def with_plots(make_house: Any, url: str, **limits: Any) -> tuple[House, list[Any]]:
    """Three runs of proposals, of which the first and the last are nobody's baseline."""
    house = make_house(url, storage={"artifact_days": 7}, limits=limits)
    left(house, "main", 0.0, {})
    files = [{"results/x.png": dot(3), "results/gone.pdf": pdf(1)}, {"results/x.png": dot(9)}]
    return house, [left(house, name, 1.0, each) for name, each in zip("ab", files, strict=True)]


def test_pictures_are_drawn_once_and_kept_with_both_runs(
    make_house: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, (before, after) = with_plots(make_house, sqlite_url)
    report = pair(house, before, after)
    plot, paper = (
        next(f for f in report.comparison.files if f.path == f"results/{n}") for n in ("x.png", "gone.pdf")
    )
    assert [one.shows for one in plot.pictures] == ["baseline", "head", "difference"]
    names = {picture_name(before.id, one.digest) for one in plot.pictures}
    assert {path for path in kept(house, after) if path.endswith(".png")} == names
    assert report.drawn_urls[plot.pictures[2].digest].startswith(f"{report.comparison_url}/pictures/")
    # What only the first has is kept with the first: who may see the second alone has no part of it.
    (page,) = report.comparison.contents[paper.path].pictures
    assert kept(house, after, "preview") == set()
    assert f"{page.digest}.png" in kept(house, before, "preview")
    monkeypatch.setattr(pair_module, "look_into", None)
    assert pair(house, before, after) == report


@pytest.mark.parametrize("old", [0, 1])
def test_pictures_go_with_either_run(make_house: Any, sqlite_url: str, old: int) -> None:
    house, runs = with_plots(make_house, sqlite_url)
    pair(house, *runs)
    with house.bridge.database.transaction() as session:
        run = session.get_one(Run, runs[old].id)
        assert run.proposal
        run.ended_at = (run.ended_at or 0.0) - 8 * DAY
    Retain(house.bridge).artifacts()
    assert kept(house, runs[1]) == set()


def test_what_no_time_was_left_for_is_looked_into_the_next_time(
    make_house: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, runs = with_plots(make_house, sqlite_url)
    looks: list[set[str]] = []

    def hurried(*sides: Any, limits: Any, **more: Any) -> Any:
        looks.append({each.path for side in sides[1:3] for each in side.result.artifacts})
        found = look_into(*sides, limits=limits, **more)
        tired = replace(found.files[0], explanation="no time was left", lasting=False)
        return replace(found, files=(tired, *found.files[1:])) if len(looks) < 3 else found

    monkeypatch.setattr(pair_module, "look_into", hurried)
    for _ in range(4):
        report = pair_report(house.bridge, *(house.run(run.id) for run in runs))
        for picture in drawn_pictures(report.comparison):
            name = picture_name(runs[0].id, picture.digest)
            assert name in kept(house, runs[1]) or f"{picture.digest}.png" in kept(house, runs[0], "preview")
    assert [len(paths) for paths in looks] == [3, 1, 1]
