"""What collect reads of a workspace: declared files, folders and logs, usual places, and scenarios."""

from typing import Any

import pytest

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.readings import CheckState
from reana_bridge.model.results import Result
from reana_bridge.store.tables import Run
from tests.steps.house import WORKFLOW, House

META = "run_name: fit\nstatus: 3\nlifecycle_stage: active\nstart_time: 1\n"
STORE = {"mlruns/1/r/meta.yaml": META, "mlruns/1/r/metrics/loss": "1 3 0\n2 2.5 1\n"}
ELSEWHERE = {name.replace("mlruns", "store"): content for name, content in STORE.items()}


def collected(house: House, made: dict[str, str], committed: dict[str, str]) -> tuple[Run, Result]:
    """A run that made these files, and its result."""
    house.commit("main", {"n": "1", **committed})
    house.push()
    run = house.end(house.runs()[0], files={name: content.encode() for name, content in made.items()})
    return run, from_data(Result, run.result or {})


@pytest.mark.parametrize(
    ("bridge_file", "made", "committed", "values", "said"),
    [
        ("", {"metrics.json": '{"a": 1}'}, {}, {"a": 1}, ""),
        ("", {"results/metrics.json": '{"a": 1}'}, {}, {"a": 1}, ""),
        ("", {}, {"metrics.json": '{"a": 1}'}, {}, ""),
        ("", STORE, {}, {"loss": 2.5}, ""),
        ("", {}, STORE, {}, ""),
        ("metrics: mlruns", {}, STORE, {"loss": 2.5}, ""),
        ("metrics: mlruns", {}, {}, {}, "mlruns: the run left no such file"),
        ("metrics: {path: store, format: mlflow}", ELSEWHERE, {}, {"loss": 2.5}, ""),
        ("metrics: o/*.json", {"o/a.json": '{"a": 1}', "o/b.json": "["}, {}, {"a": 1}, "o/b.json: "),
        ("metrics: {log: only, pattern: 'log (?P<word>of)'}", {}, {}, {"word": "of"}, ""),
        ("metrics: {log: other, pattern: '(?P<word>of)'}", {}, {}, {}, "other: no step `other` left a log"),
        ("metrics: {path: t.txt, pattern: 'mu=(?P<value>.+)'}", {"t.txt": "mu=3\n"}, {}, {"t": 3}, ""),
        ("metrics: t.txt", {"t.txt": "mu=3\n"}, {}, {}, "`t.txt` has no ending that is known"),
        ("metrics: a.npy", {"a.npy": "none"}, {}, {}, "is no array of NumPy"),
    ],
)
def test_metrics(
    one: House,
    bridge_file: str,
    made: dict[str, str],
    committed: dict[str, str],
    values: dict[str, Any],
    said: str,
) -> None:
    declared = {".reana-bridge.yaml": bridge_file} if bridge_file else {}
    _, result = collected(one, made, {**committed, **declared})
    assert {metric.name: metric.value for metric in result.metrics} == values
    assert said in " | ".join(f"{item.source}: {item.reason}" for item in result.unreadable)
    assert bool(said) == bool(result.unreadable)
    assert not [artifact.path for artifact in result.artifacts if artifact.path.startswith("mlruns")]


FEATURE = """Feature: Files
  Scenario: It is there
    When the workflow is finished
    Then the workspace should include "hidden/x"
    And the size of the file hidden/x should be exactly 5
    And the file hidden/x should contain "hello"
    And the job logs for the step only should contain "log of"
  Scenario: It is large
    Then the size of the file hidden/x should be exactly 1 MiB
"""
TESTED = WORKFLOW + "tests: {files: [tests/a.feature, tests/gone.feature]}\n"


@pytest.mark.parametrize("effect", ["block", "warn"])
def test_scenarios_are_judged_on_the_whole_workspace(one: House, effect: str) -> None:
    committed = {"reana.yaml": TESTED, "tests/a.feature": FEATURE, ".reana-bridge.yaml": f"checks: {effect}"}
    run, result = collected(one, {"hidden/x": "hello"}, committed)
    assert [(check.name, check.state.value, check.group) for check in result.checks] == [
        ("It is there", "passed", "Files"),
        ("It is large", "failed", "Files"),
    ]
    assert "it is 5 bytes" in result.checks[1].message
    assert [(item.source, item.reason) for item in result.unreadable] == [
        ("tests/gone.feature", "there is no such file in the commit")
    ]
    assert [artifact.path for artifact in result.artifacts] == []
    comparison = from_data(Comparison, one.comparison(run))
    assert [(check.name, check.head) for check in comparison.checks] == [
        ("It is large", CheckState.FAILED),
        ("It is there", CheckState.PASSED),
    ]
    assert comparison.blocked == (effect == "block")


def test_cases_of_junit_are_checks(one: House) -> None:
    xml = '<testsuite name="unit"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'
    _, result = collected(one, {"junit.xml": xml}, {})
    assert [(check.name, check.state.value) for check in result.checks] == [("a", "passed"), ("b", "failed")]
    assert {metric.name: metric.value for metric in result.metrics}["tests.failed"] == 1
