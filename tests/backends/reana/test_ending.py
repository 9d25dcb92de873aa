"""Whose failure it is, and how steps are told: tables of logs."""

from typing import Any

import pytest

from reana_bridge.backends.reana.ending import failure_of
from reana_bridge.backends.reana.layout import Layout, groups, layout_of, records, while_running
from reana_bridge.backends.reana.names import Name, name_of, parse
from reana_bridge.backends.reana.values import JobLog, Logs, Progress, logs_of, moment, workflow_of
from reana_bridge.model.results import StepState
from reana_bridge.model.runs import FailureKind

ANALYSIS, LIMIT, INFRASTRUCTURE = FailureKind.ANALYSIS, FailureKind.LIMIT, FailureKind.INFRASTRUCTURE


def job(text: str = "", *, step: str = "fit", status: str = "failed", started: float = 1.0) -> JobLog:
    return JobLog(
        id=f"{step}{started}",
        step=step,
        status=status,
        command="python fit.py",
        image="python:3.12",
        compute_backend="kubernetes",
        text=text,
        started_at=started,
        ended_at=started + 1,
    )


@pytest.mark.parametrize(
    ("text", "engine", "kind", "words"),
    [
        ("job: :\n Traceback\nKeyError: 'n_tracks'\n\nError\n", "", ANALYSIS, "a command failed"),
        ("", "", ANALYSIS, "a command failed"),
        ("job: :\n working\n\nOOMKilled\n", "", LIMIT, "more memory"),
        (
            "job: :\n w\n\nDeadlineExceeded\nThe job was killed due to exceeding timeout of 60 seconds.",
            "",
            LIMIT,
            "longer than its time limit",
        ),
        ('Container job failed, error: Back-off pulling image "x"', "", INFRASTRUCTURE, "container"),
        ("\nEvicted\n", "", INFRASTRUCTURE, "evicted"),
        ("ok\n", "ERROR could not connect to job-controller", INFRASTRUCTURE, "parts lost each other"),
        ("ok\n", "workflow engine pod was killed", INFRASTRUCTURE, "engine was killed"),
        # What an analysis itself prints is no word of the compute backend.
        ("the word OOMKilled in a sentence\n", "", ANALYSIS, "a command failed"),
        ("Evicted\n" + "line\n" * 20, "", ANALYSIS, "a command failed"),
        ("we failed to schedule after 3 retries\n", "", ANALYSIS, "a command failed"),
    ],
)
def test_whose_failure_it_is(text: str, engine: str, kind: FailureKind, words: str) -> None:
    failure = failure_of(Logs(engine=engine), groups(Layout(), [job(text)]))
    assert (failure.kind, failure.step) == (kind, "fit")
    assert words in failure.message


@pytest.mark.parametrize(
    ("engine", "kind", "words"),
    [
        ("", INFRASTRUCTURE, "no more than that it failed"),
        ("failed to schedule after 200 retries. Giving up.", INFRASTRUCTURE, "no room"),
        ("WorkflowError: rule all has no output", ANALYSIS, "the workflow engine failed"),
    ],
)
def test_no_step_failed(engine: str, kind: FailureKind, words: str) -> None:
    failure = failure_of(Logs(engine=engine), [])
    assert (failure.kind, failure.step) == (kind, "")
    assert words in failure.message


def test_the_last_lines_are_kept_and_bounded() -> None:
    text = "".join(f"line {i}\n" for i in range(1000)) + "x" * 10_000 + "\n\nError\n"
    failure = failure_of(Logs(), groups(Layout(), [job(text)]))
    assert len(failure.log_tail) <= 20
    assert failure.log_tail[-2] == "line 999"
    assert failure.log_tail[-1] == "x" * 500


# -- steps --

TWO = Layout(names=("make", "fit"), images=("a", "b"), owners=(0, 0, 1))
W, R, F, X = StepState.WAITING, StepState.RUNNING, StepState.FINISHED, StepState.FAILED


@pytest.mark.parametrize(
    ("layout", "progress", "states"),
    [
        (TWO, Progress(), [R, W]),
        (TWO, Progress(total=3, running=1), [R, W]),
        (TWO, Progress(total=3, finished=1, running=1), [R, W]),
        (TWO, Progress(total=3, finished=2, running=1), [F, R]),
        (TWO, Progress(total=3, finished=2), [F, R]),
        (TWO, Progress(total=2, finished=3), [F, F]),
        (TWO, Progress(total=3, finished=1, failed=1), [X, W]),
        (TWO, Progress(total=3, finished=99, failed=1), [F, F]),
        (Layout(), Progress(total=4, finished=1, running=2), [F, R, R, W]),
        (Layout(), Progress(total=1, finished=1, failed=1), [F, X]),
        (Layout(), Progress(), []),
    ],
)
def test_steps_while_it_runs(layout: Layout, progress: Progress, states: list[StepState]) -> None:
    assert [step.state for step in while_running(layout, progress)] == states


def test_a_step_that_is_named_is_named() -> None:
    found = while_running(Layout(), Progress(total=3, finished=1, running=1, step="fit", command="python"))
    assert [(step.name, step.command) for step in found] == [("job 1", ""), ("fit", "python"), ("job 3", "")]


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ([], [("make", W), ("fit", W)]),
        ([job(status="finished")], [("make", F), ("fit", W)]),
        ([job(status="finished"), job(status="running")], [("make", R), ("fit", W)]),
        ([job(status="finished"), job(status="failed")], [("make", X), ("fit", W)]),
        ([job(status="finished")] * 3, [("make", F), ("fit", F)]),
        ([job(status="finished")] * 2 + [job(status="stopped")], [("make", F), ("fit", X)]),
        ([job(status="finished")] * 9, [("make", F), ("fit", F)]),
    ],
)
def test_commands_become_steps_again(jobs: list[JobLog], told: list[Any]) -> None:
    found = records(groups(TWO, jobs), lambda seconds: seconds)
    assert [(step.name, step.state) for step in found] == told


def test_jobs_of_other_engines_are_steps() -> None:
    jobs = [job(step=name, status="finished", started=i) for i, name in enumerate(["a", "b", "a", ""])]
    found = records(groups(Layout(), jobs), lambda seconds: seconds)
    assert [(step.name, step.log) for step in found] == [
        ("a", "1-a.log"),
        ("b", "2-b.log"),
        ("a (2)", "3-a-2.log"),
        ("job", "4-job.log"),
    ]


def document(*names: str, **options: str) -> dict[str, Any]:
    steps = [{"name": name, "commands": ["x", "y"], "environment": "e"} for name in names]
    workflow = {"type": "serial", "specification": {"steps": steps}}
    return {"workflow": workflow, "inputs": {"options": options}}


@pytest.mark.parametrize(
    ("given", "names", "owners"),
    [
        (document("a", "b"), ("a", "b"), (0, 0, 1, 1)),
        (document("a", "a", ""), ("a", "a (2)", "step 3"), (0, 0, 1, 1, 2, 2)),
        (document("a", "b", "c", FROM="b"), ("b", "c"), (0, 0, 1, 1)),
        (document("a", "b", "c", TARGET="b"), ("a", "b"), (0, 0, 1, 1)),
        (document("a", "b", FROM="zzz"), ("a", "b"), (0, 0, 1, 1)),
        ({"workflow": {"type": "cwl"}}, (), ()),
        ({}, (), ()),
        ({"workflow": {"type": "serial", "specification": []}}, (), ()),
        ({"workflow": {"type": "serial", "specification": {"steps": ["x", None]}}}, ("step 1", "step 2"), ()),
    ],
)
def test_the_layout(given: dict[str, Any], names: tuple[str, ...], owners: tuple[int, ...]) -> None:
    layout = layout_of(given)
    assert (layout.names, layout.owners) == (names, owners)


# -- values and names --


@pytest.mark.parametrize(
    "value", [None, [], {}, "x", 1, {"id": 1, "name": "x.1"}, {"id": "x"}, {"id": "x", "name": ".1"}]
)
def test_what_names_no_workflow_is_none(value: Any) -> None:
    assert workflow_of(value) is None


@pytest.mark.parametrize(
    "progress", [None, [], "x", {"total": 3}, {"total": {"total": "3"}}, {"run_started_at": 5}]
)
def test_an_odd_progress_is_left_out(progress: Any) -> None:
    found = workflow_of({"id": "x", "name": "fit.1.2", "status": None, "progress": progress})
    assert found is not None
    assert (found.name, found.number, found.status, found.progress) == ("fit", (1, 2), "", Progress())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2018-06-13T09:47:35", 1528883255.0),
        ("2018-06-13T09:47:35.660970", 1528883255.66097),
        ("2018-06-13T09:47:35+00:00", 1528883255.0),
        ("yesterday", None),
        (None, None),
        (7, None),
    ],
)
def test_times_are_utc(text: Any, seconds: float | None) -> None:
    assert moment(text) == seconds


@pytest.mark.parametrize("value", [None, [], "x", {"job_logs": None}, {"job_logs": []}, {"workflow_logs": 3}])
def test_odd_logs_are_empty(value: Any) -> None:
    assert logs_of(value) == Logs()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (name_of("rb-x-1", "0a1b2c3d", 60.9), Name(job="rb-x-1", tag="0a1b2c3d", limit=60.0)),
        (name_of("rb-x-1", "0a1b2c3d", None), Name(job="rb-x-1", tag="0a1b2c3d", limit=None)),
        ("fit", None),
        ("fit-0a1b2c3d-s", None),
        ("fit-XYZ-60s", None),
    ],
)
def test_names_say_all(name: str, said: Name | None) -> None:
    assert parse(name) == said
    assert "." not in name
