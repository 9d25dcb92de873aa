"""Check runs as a GitHub App: one for an attempt, updated in place, within GitHub's limits."""

import json
from typing import Any

import pytest

from reana_bridge.forges.base import ForgeRefused, StatusState, Unanswered
from reana_bridge.forges.github import checks
from reana_bridge.model.checks import Annotation, Button, CheckOutput
from tests.forges.github.conftest import PROJECT, Place

S = StatusState
PLACE = Annotation(path="fit.py", line=88, message="KeyError: 'n_tracks'")


def output(**more: Any) -> CheckOutput:
    return CheckOutput(**({"title": "1 of 14 got worse", "summary": "**table**"} | more))


@pytest.mark.parametrize(
    ("state", "approval", "status", "conclusion"),
    [
        (S.PENDING, False, "queued", None),
        (S.PENDING, True, "completed", "action_required"),
        (S.RUNNING, False, "in_progress", None),
        (S.SUCCESS, False, "completed", "success"),
        (S.FAILURE, False, "completed", "failure"),
        (S.ERROR, False, "completed", "failure"),
        (S.CANCELLED, False, "completed", "cancelled"),
    ],
)
def test_states(place: Place, state: StatusState, approval: bool, status: str, conclusion: str) -> None:
    place.with_app().post_status(PROJECT, place.status(state, needs_approval=approval))
    (check,) = place.github.checks(place.repository, place.sha)
    assert (check.status, check.conclusion, check.name) == (status, conclusion, "reana/fit")
    assert check.values["external_id"] == "r1/1"
    assert check.values["details_url"] == "https://bridge.example.org/runs/r1"


def test_an_attempt_is_one_check_updated_in_place(place: Place) -> None:
    forge, posted = place.with_app(), {}
    steps = [
        (S.PENDING, True),
        (S.PENDING, False),
        (S.RUNNING, False),
        (S.RUNNING, False),
        (S.SUCCESS, False),
    ]
    for state, approval in steps:
        posted = forge.post_status(PROJECT, place.status(state, needs_approval=approval), posted)
    (check,) = place.github.checks(place.repository, place.sha)
    assert (check.status, check.conclusion, check.changes) == ("completed", "success", 3)
    assert json.loads(json.dumps(posted)) == posted


def test_a_run_without_retries_costs_three_writes_and_one_read_of_the_project(place: Place) -> None:
    forge, posted = place.with_app(), {}
    for state in (S.PENDING, S.RUNNING, S.SUCCESS):
        posted = forge.post_status(PROJECT, place.status(state), posted)
    assert len(place.github.writes()) == 3
    assert len(place.github.reads("/commits/")) == 1


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("r1", 1, S.SUCCESS), ("r1", 1, S.RUNNING)], ["success"]),
        ([("r1", 1, S.SUCCESS), ("r1", 2, S.PENDING)], ["success", None]),
        ([("r1", 1, S.FAILURE), ("r2", 2, S.SUCCESS)], ["failure", "success"]),
        ([("r2", 2, S.SUCCESS), ("r1", 1, S.FAILURE)], ["success"]),
        ([("r1", 1, S.SUCCESS), ("r1", 1, S.FAILURE)], ["failure"]),
    ],
)
def test_what_may_follow(
    place: Place, steps: list[tuple[str, int, StatusState]], expected: list[str]
) -> None:
    forge, posted = place.with_app(), {}
    for run, attempt, state in steps:
        posted = forge.post_status(PROJECT, place.status(state, run=run, attempt=attempt), posted)
    found = place.github.checks(place.repository, place.sha)
    assert [check.conclusion for check in found] == expected


@pytest.mark.parametrize("how", ["before", "after", "close_before", "close_after"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("same", [True, False], ids=["same process", "another process"])
def test_a_lost_answer_makes_no_second_check(place: Place, how: str, method: str, same: bool) -> None:
    forge, posted = place.with_app(), {}
    if method == "PATCH":
        posted = forge.post_status(PROJECT, place.status(S.PENDING))
    place.github.fail(method, "/check-runs", how=how)
    final = place.status(S.FAILURE, output=output(annotations=(PLACE,)))
    with pytest.raises(Unanswered):
        forge.post_status(PROJECT, final, posted)
    forge = forge if same else place.with_app()
    posted = forge.post_status(PROJECT, final, {**posted, "unsure": True})
    (check,) = place.github.checks(place.repository, place.sha)
    assert check.conclusion == "failure"
    assert len(check.annotations) == 1, "annotations are not added twice"
    assert "unsure" not in posted


def test_another_apps_check_is_not_ours(place: Place) -> None:
    other = place.github.app("other")
    place.github.install(other, [place.repository])
    place.with_app(app_id=str(other.id), app_key=other.key).post_status(PROJECT, place.status())
    place.with_app().post_status(PROJECT, place.status(S.SUCCESS))
    found = place.github.checks(place.repository, place.sha)
    assert [(check.app.slug, check.conclusion) for check in found] == [("other", None), ("reana", "success")]


def test_a_check_that_is_gone_is_made_again(place: Place) -> None:
    forge = place.with_app()
    posted = forge.post_status(PROJECT, place.status())
    place.repository.checks.clear()
    forge.post_status(PROJECT, place.status(S.SUCCESS), posted)
    assert [check.conclusion for check in place.github.checks(place.repository, place.sha)] == ["success"]


@pytest.mark.parametrize(
    "shown",
    [
        output(summary="x" * 100_000, text="y" * 100_000),
        output(summary="é" * 65_000, text="😀" * 65_000),
        output(title="t" * 1000),
        output(title="", summary=""),
        output(annotations=tuple(Annotation(path="a.py", line=n, message="m") for n in range(1, 120))),
        output(annotations=(Annotation(path="a.py", line=1, message="m" * 100_000),)),
        output(buttons=(Button(identifier="approve", label="L" * 90, description="D" * 90),) * 5),
        output(buttons=(Button(identifier="i" * 21, label="L", description="D"),)),
        output(summary="a lone surrogate \ud800"),
    ],
    ids=[
        "long", "wide", "title", "empty", "annotations", "message", "buttons", "identifier", "surrogate",
    ],
)  # fmt: skip
def test_whatever_is_shown_fits(place: Place, shown: CheckOutput) -> None:
    place.with_app().post_status(PROJECT, place.status(S.FAILURE, output=shown))
    (check,) = place.github.checks(place.repository, place.sha)
    assert check.conclusion == "failure"
    assert len(check.annotations) == min(50, len(shown.annotations))
    assert len(check.values["actions"]) == min(3, sum(len(b.identifier) <= 20 for b in shown.buttons))


def test_a_shortened_text_says_so() -> None:
    shown = checks.shown(Place.status(_bare(), S.FAILURE, output=output(summary="x" * 100_000)))
    assert shown["output"]["summary"].endswith("(shortened)")
    assert len(shown["output"]["summary"].encode()) <= checks.TEXT_LIMIT


def _bare() -> Any:
    class Bare:
        sha = "0" * 40

    return Bare()


def test_annotations_come_once(place: Place) -> None:
    forge = place.with_app()
    posted = forge.post_status(PROJECT, place.status(S.FAILURE, output=output(annotations=(PLACE,))))
    again = output(title="2 of 14 got worse", annotations=(PLACE,))
    forge.post_status(PROJECT, place.status(S.FAILURE, output=again), posted)
    (check,) = place.github.checks(place.repository, place.sha)
    assert check.values["output"]["title"] == "2 of 14 got worse"
    (annotation,) = check.annotations
    assert (annotation["path"], annotation["start_line"], annotation["annotation_level"]) == (
        "fit.py",
        88,
        "failure",
    )


def test_times_are_told(place: Place) -> None:
    forge = place.with_app(clock=lambda: 1_800_000_000.0)
    checks_part = forge._checks  # type: ignore[attr-defined]
    assert checks_part._times(place.status(S.RUNNING)) == {"started_at": "2027-01-15T08:00:00Z"}
    assert checks_part._times(place.status(S.ERROR)) == {"completed_at": "2027-01-15T08:00:00Z"}
    assert checks_part._times(place.status(S.PENDING)) == {}


def test_an_app_without_the_permission_is_refused(place: Place) -> None:
    weak = place.github.app("weak", permissions={"contents": "read", "metadata": "read", "checks": "read"})
    place.github.install(weak, [place.repository])
    with pytest.raises(ForgeRefused, match="checks: write"):
        place.with_app(app_id=str(weak.id), app_key=weak.key).post_status(PROJECT, place.status())


def test_the_client_id_names_the_app_too(place: Place) -> None:
    forge = place.with_app(app_id=place.app.client_id)
    forge.post_status(PROJECT, place.status())
    forge.post_status(PROJECT, place.status())  # nothing remembered: it is found again
    assert len(place.github.checks(place.repository, place.sha)) == 1
