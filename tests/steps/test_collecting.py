"""What collect reads of a workspace: declared files, folders and logs, usual places, and scenarios."""

from io import BytesIO
from typing import Any, BinaryIO, cast

import pytest
from sqlalchemy import select

from reana_bridge.backends.base import BackendUnavailable
from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.readings import CheckState
from reana_bridge.model.results import Artifact, Result
from reana_bridge.steps.collecting.arriving import Arriving
from reana_bridge.store.tables import ArtifactRow, Run
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


def test_what_has_come_is_not_fetched_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = house.backend.read, list[str]()

    def breaks_off(identity: str, path: str) -> BinaryIO:
        asked.append(path)
        if path == "results/b" and asked.count(path) == 1:
            raise BackendUnavailable("away")
        return read(identity, path)

    monkeypatch.setattr(house.backend, "read", breaks_off)
    house.commit("main", {"n": "1"})
    house.push()
    made = {"results/a": b"a" * 2**20, "results/b": b"b" * 2**20, "results/c": b"c"}
    run = house.end(house.runs()[0], files=made)
    house.later(100)
    house.work()
    assert asked == ["results/a", "results/b", "results/b", "results/c"]
    result = from_data(Result, house.run(run.id).result or {})
    assert {artifact.path: artifact.size for artifact in result.artifacts} == {
        path: len(content) for path, content in made.items()
    }
    with house.bridge.database.read() as session:
        kinds = session.execute(select(cast(Any, ArtifactRow).kind)).scalars().all()
    assert set(kinds) == {"output", "log"}


def test_another_attempt_takes_nothing_of_the_one_before(one: House) -> None:
    one.commit("main", {"n": "1"})
    one.push()
    run = one.runs()[0]
    first = Arriving(one.bridge, run)
    first.add(Artifact(path="a", digest="0" * 64, size=2**20))
    one.bridge.blobs.put(BytesIO(b"a" * 2**20), limit=2**20)
    assert Arriving(one.bridge, run).find("a", 2**20) is None  # its content is gone
    digest = one.bridge.blobs.put(BytesIO(b"b" * 2**20), limit=2**20).digest
    first.add(Artifact(path="a", digest=digest, size=2**20))
    assert Arriving(one.bridge, run).find("a", 2**20) is not None
    assert Arriving(one.bridge, run).find("a", 2**20 + 1) is None
    run.backend_id = "another"
    assert Arriving(one.bridge, run).find("a", 2**20) is None
