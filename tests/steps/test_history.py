"""The spread of a metric: which runs on the default branch tell it, and which never do."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from reana_bridge.model.comparisons import History
from reana_bridge.steps.comparing.history import series_of
from reana_bridge.store.database import Database
from reana_bridge.store.tables import MetricRow, Run
from tests.steps.house import House
from tests.steps.test_results import fail_and_play_with_parameters

Maker = Callable[..., House]
DRAW = random.Random(11)
NOISE = [0.3 + DRAW.gauss(0, 0.2) for _ in range(12)]


def finished(house: House, branch: str, value: float) -> Any:
    """A new commit on the branch with a finished run that left the metric `a`."""
    sha = house.commit(branch, {"n": f"{branch} {value}"})
    house.push(branch)
    return house.end(house.run_of(sha), {"a": {"value": value, "direction": "lower"}})


def of_a(house: House, run: Any) -> dict[str, Any]:
    (one,) = house.comparison(run)["metrics"]
    return one


def test_an_unseeded_metric_is_not_flagged_once_its_spread_is_known(house: House) -> None:
    runs = [finished(house, "main", value) for value in NOISE[:10]]
    assert of_a(house, runs[5])["explanation"] == "spread unknown, 5 of 8 runs"
    within, beyond = finished(house, "b", 0.45), finished(house, "c", 3.0)
    found = of_a(house, within)
    assert (found["verdict"], "within noise" in found["explanation"]) == ("changed", True)
    assert found["test"]["sample"] == NOISE[:10]
    assert of_a(house, beyond)["verdict"] == "worse"
    assert house.comparison(beyond)["history"]["run_ids"] == [run.id for run in runs]
    assert house.comparison(beyond)["tests"] == 1


def test_nothing_of_its_own_and_nothing_later_is_its_history(one: House) -> None:
    base = [finished(one, "main", value) for value in NOISE[:3]]
    first = finished(one, "b", 5.0)
    finished(one, "main", NOISE[3])
    second = finished(one, "b", 6.0)
    ids = [run.id for run in base]
    assert one.comparison(first)["history"]["run_ids"] == ids
    assert one.comparison(second)["history"]["run_ids"] == ids
    assert one.comparison(second)["history"]["shas"] == [run.sha for run in base]


def test_failed_and_parameterised_runs_tell_nothing(one: House) -> None:
    base = finished(one, "main", 1.0)
    fail_and_play_with_parameters(one)
    proposal = finished(one, "b", 2.0)
    assert one.comparison(proposal)["history"]["run_ids"] == [base.id]


def test_no_more_runs_are_looked_at_than_the_settings_allow(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, limits={"history_runs": 8})
    runs = [finished(house, "main", value) for value in NOISE[:10]]
    proposal = finished(house, "b", 0.3)
    assert house.comparison(proposal)["history"]["run_ids"] == [run.id for run in runs[2:]]


RULE = "{metric: a, history: {test: t, runs: 20}, effect: block}"
RULES = f"analyses: {{fit: {{file: reana.yaml, rules: [{RULE}]}}}}"


def test_a_rule_against_the_history_blocks_what_is_beyond_it(one: House) -> None:
    one.commit("main", {".reana-bridge.yaml": RULES})
    one.push()
    one.end(one.run_of(one.head()), {"a": 0.3})
    for value in NOISE[:9]:
        finished(one, "main", value)
    within, beyond = finished(one, "b", 0.4), finished(one, "c", 3.0)
    assert (one.shown(within.sha)[-1], one.shown(beyond.sha)[-1]) == ("success", "failure")


SHAS = [f"{number:040x}" for number in range(6)]


@pytest.mark.parametrize(
    ("units", "since", "values", "is_accepted"),
    [
        (["fb"] * 6, {}, [0, 1, 2, 3, 4, 5], False),
        (["pb", "pb", "fb", "fb", "fb", "fb"], {}, [2, 3, 4, 5], False),
        (["fb", "pb", "fb", "pb", "pb", "pb"], {}, [3, 4, 5], False),
        (["fb"] * 6, {"a": 3}, [3, 4, 5], True),
        (["fb"] * 6, {"a": 5}, [5], True),
        (["fb"] * 6, {"b": 3}, [0, 1, 2, 3, 4, 5], False),
        (["fb"] * 6, {"a": 6}, [], True),
    ],
)
def test_values_of_one_unit_since_what_was_accepted(
    database: Database, units: list[str], since: dict[str, int], values: list[int], is_accepted: bool
) -> None:
    runs = [f"r{number}" for number in range(6)]
    common = {"project": "f:group/name", "analysis": "fit"}
    with database.transaction() as session:
        session.add_all(
            Run(id=run, sha=sha, queued_at=1, **common) for run, sha in zip(runs, SHAS, strict=True)
        )
        session.flush()
        session.add_all(
            MetricRow(run_id=run, name="a", value=place, unit=units[place], **common)
            for place, run in enumerate(runs)
        )
    with database.read() as session:
        history = History(run_ids=tuple(runs), shas=tuple(SHAS), since=since)
        series = series_of(session, history)["a"]
    assert list(series.values) == values == list(series.places)
    assert (series.accepted, series.unit) == (is_accepted, units[-1])
