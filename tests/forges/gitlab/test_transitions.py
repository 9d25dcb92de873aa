"""Which status may follow which, what is sent, and which pipeline it joins."""

from typing import Any

import pytest

from reana_bridge.forges.base import Status, StatusState
from reana_bridge.forges.gitlab.transitions import (
    LONGEST,
    agrees,
    body,
    choose_pipeline,
    is_news,
    is_settled,
    short_ref,
)
from reana_bridge.forges.telling import shortened

P, R, S, F, E, C = (
    StatusState.PENDING,
    StatusState.RUNNING,
    StatusState.SUCCESS,
    StatusState.FAILURE,
    StatusState.ERROR,
    StatusState.CANCELLED,
)
SHA = "a" * 40


def status(state: StatusState = P, **changes: Any) -> Status:
    values: dict[str, Any] = {
        "sha": SHA,
        "ref": "refs/heads/main",
        "context": "reana/fit",
        "state": state,
        "description": "waits",
        "url": "https://bridge.example.org/runs/1",
    }
    return Status(**(values | changes))


@pytest.mark.parametrize(
    ("posted", "wanted", "news"),
    [
        (None, P, True),
        (None, R, True),
        (None, S, True),
        ("pending", P, False),
        ("pending", R, True),
        ("pending", S, True),
        ("pending", C, True),
        ("running", P, False),
        ("running", R, False),
        ("running", F, True),
        ("running", E, True),
        ("success", P, False),
        ("success", R, False),
        ("success", S, False),
        ("success", F, False),
        ("failed", S, False),
        ("canceled", R, False),
    ],
)
def test_what_is_sent_in_one_attempt(posted: str | None, wanted: StatusState, news: bool):
    known = {"state": posted, "attempt": 1} if posted else {}
    assert is_news(status(wanted), known) is news


@pytest.mark.parametrize("state", list(StatusState))
@pytest.mark.parametrize("posted", ["pending", "running", "success", "failed", "canceled"])
def test_another_attempt_may_follow_anything_and_an_older_one_nothing(posted: str, state: StatusState):
    assert is_news(status(state, attempt=3), {"state": posted, "attempt": 2})
    assert not is_news(status(state, attempt=1), {"state": posted, "attempt": 2})


@pytest.mark.parametrize(
    ("shown", "wanted", "agreed"),
    [
        ("pending", P, True),
        ("running", P, True),
        ("running", R, True),
        ("pending", R, False),
        ("success", S, True),
        ("success", F, False),
        ("success", R, False),
        ("failed", E, True),
        ("failed", F, True),
        ("canceled", C, True),
        ("running", S, False),
        ("created", P, True),
        ("skipped", P, False),
    ],
)
def test_what_agrees(shown: str, wanted: StatusState, agreed: bool):
    assert agrees(shown, status(wanted)) is agreed


@pytest.mark.parametrize(
    ("shown", "wanted", "posted", "settled"),
    [
        ("success", S, {"state": "running", "attempt": 1}, True),
        ("success", C, {"state": "running", "attempt": 1}, True),
        ("success", C, {"state": "running", "attempt": 0}, False),
        ("success", C, {}, False),
        ("success", P, {"state": "success", "attempt": 0}, False),
        ("running", C, {"state": "pending", "attempt": 1}, False),
    ],
)
def test_what_a_look_settles(shown: str, wanted: StatusState, posted: dict[str, Any], settled: bool):
    assert is_settled(shown, status(wanted), posted) is settled


@pytest.mark.parametrize(
    ("ref", "source", "short"),
    [
        ("refs/heads/main", "", "main"),
        ("refs/heads/a/b", "", "a/b"),
        ("refs/tags/v1", "", "v1"),
        ("refs/merge-requests/5/head", "feature", "feature"),
        ("", "", ""),
    ],
)
def test_refs(ref: str, source: str, short: str):
    assert short_ref(status(ref=ref, source_branch=source)) == short


def test_what_is_sent():
    assert body(status(F), ref="main", pipeline=None) == {
        "state": "failed",
        "name": "reana/fit",
        "description": "waits",
        "ref": "main",
        "target_url": "https://bridge.example.org/runs/1",
    }


@pytest.mark.parametrize(
    ("changes", "ref", "pipeline", "key", "value"),
    [
        ({}, "main", 7, "pipeline_id", 7),
        ({}, "", None, "ref", None),
        ({"url": ""}, "main", None, "target_url", None),
        ({"url": "https://" + "x" * 248}, "main", None, "target_url", None),
        ({"url": "https://" + "x" * 247}, "main", None, "target_url", "https://" + "x" * 247),
        ({"description": "a\nb\t c"}, "main", None, "description", "a b c"),
    ],
)
def test_parts_of_what_is_sent(changes: Any, ref: str, pipeline: int | None, key: str, value: Any):
    assert body(status(**changes), ref=ref, pipeline=pipeline).get(key) == value


@pytest.mark.parametrize(
    ("text", "length", "end"), [("x" * 255, 255, "x"), ("x" * 256, 255, "…"), ("ü" * 400, 255, "…")]
)
def test_long_descriptions(text: str, length: int, end: str):
    short = shortened(text, LONGEST)
    assert (len(short), short[-1]) == (length, end)


def pipeline(number: int, source: str = "push", **changes: Any) -> dict[str, Any]:
    return {"id": number, "sha": SHA, "ref": "x", "source": source, "project_id": 5} | changes


@pytest.mark.parametrize(
    ("pipelines", "project", "chosen"),
    [
        ([], "", None),
        ([pipeline(1)], "", 1),
        ([pipeline(1), pipeline(2)], "", 2),
        ([pipeline(1, "external")], "", None),
        ([pipeline(1), pipeline(2, "external")], "", 1),
        ([pipeline(1, "merge_request_event"), pipeline(2)], "", 1),
        ([pipeline(1, sha="b" * 40)], "", None),
        ([pipeline(1), pipeline(2, project_id=6)], "5", 1),
        ([pipeline(2, project_id=6)], "5", None),
        ([{"id": 3, "sha": SHA}], "5", 3),
        ([{"id": "3", "sha": SHA}], "", None),
    ],
)
def test_which_pipeline(pipelines: list[dict[str, Any]], project: str, chosen: int | None):
    found = choose_pipeline(pipelines, sha=SHA, project=project)
    assert (found["id"] if found else None) == chosen
