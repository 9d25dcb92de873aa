"""Commit statuses with a token: what is shown, what is written, and what is not written twice."""

from typing import Any

import pytest

from reana_bridge.forges.base import (
    CommitGone,
    ForgeError,
    ForgeRefused,
    RateLimited,
    StatusState,
    Unanswered,
)
from tests.forges.github.conftest import PROJECT, Place

S = StatusState


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (S.PENDING, "pending"),
        (S.RUNNING, "pending"),
        (S.SUCCESS, "success"),
        (S.FAILURE, "failure"),
        (S.ERROR, "error"),
        (S.CANCELLED, "error"),
    ],
)
def test_states(place: Place, state: StatusState, shown: str) -> None:
    place.with_token().post_status(PROJECT, place.status(state))
    (found,) = place.github.statuses(place.repository, place.sha)
    assert (found.state, found.context, found.creator) == (shown, "reana/fit", place.bot)
    assert found.target_url == "https://bridge.example.org/runs/r1"


@pytest.mark.parametrize("description", ["x" * 500, "é" * 141, "a\nb " * 60])
def test_descriptions_fit(place: Place, description: str) -> None:
    place.with_token().post_status(PROJECT, place.status(description=description))
    (found,) = place.github.statuses(place.repository, place.sha)
    assert len(found.description) == 140
    assert found.description.endswith("…")


def test_a_run_without_retries_costs_three_writes_and_one_read(place: Place) -> None:
    forge, posted = place.with_token(), {}
    for state in (S.PENDING, S.RUNNING, S.RUNNING, S.SUCCESS, S.SUCCESS):
        posted = forge.post_status(PROJECT, place.status(state), posted)
    assert len(place.github.writes()) == 3
    assert len(place.github.reads()) == 1


@pytest.mark.parametrize(
    ("states", "last"),
    [
        ([(S.SUCCESS, 1), (S.RUNNING, 1)], "success"),
        ([(S.FAILURE, 1), (S.PENDING, 1)], "failure"),
        ([(S.SUCCESS, 1), (S.PENDING, 2)], "pending"),
        ([(S.SUCCESS, 2), (S.FAILURE, 1)], "success"),
        ([(S.PENDING, 2), (S.FAILURE, 1)], "pending"),
        ([(S.SUCCESS, 1), (S.FAILURE, 1)], "failure"),
    ],
)
def test_what_may_follow(place: Place, states: list[tuple[StatusState, int]], last: str) -> None:
    forge, posted = place.with_token(), {}
    for state, attempt in states:
        posted = forge.post_status(PROJECT, place.status(state, attempt=attempt), posted)
    assert place.github.statuses(place.repository, place.sha)[0].state == last


def test_what_is_remembered_is_plain(place: Place) -> None:
    import json

    posted = place.with_token().post_status(PROJECT, place.status())
    assert json.loads(json.dumps(posted)) == posted


@pytest.mark.parametrize("how", ["after", "close_after"])
@pytest.mark.parametrize("first", [True, False])
def test_a_lost_answer_writes_nothing_twice(place: Place, how: str, first: bool) -> None:
    forge, posted = place.with_token(), {}
    if not first:
        posted = forge.post_status(PROJECT, place.status(S.PENDING))
    place.github.fail("POST", "/statuses/", how=how)
    with pytest.raises(Unanswered):
        forge.post_status(PROJECT, place.status(S.SUCCESS), posted)
    posted = forge.post_status(PROJECT, place.status(S.SUCCESS), {**posted, "unsure": True})
    assert "unsure" not in posted
    states = [status.state for status in place.repository.statuses]
    assert states == (["success"] if first else ["pending", "success"])


def test_a_write_that_did_not_happen_is_repeated(place: Place) -> None:
    forge = place.with_token()
    place.github.fail("POST", "/statuses/", how="before")
    with pytest.raises(Unanswered):
        forge.post_status(PROJECT, place.status())
    forge.post_status(PROJECT, place.status())
    assert [status.state for status in place.repository.statuses] == ["pending"]


def test_what_was_shown_in_doubt_is_taken_back(place: Place) -> None:
    forge = place.with_token()
    posted = forge.post_status(PROJECT, place.status(S.PENDING, description="a"))
    place.github.fail("POST", "/statuses/", how="after")
    with pytest.raises(Unanswered):
        forge.post_status(PROJECT, place.status(S.PENDING, description="b"), posted)
    forge.post_status(PROJECT, place.status(S.PENDING, description="a"), {**posted, "unsure": True})
    assert [status.description for status in place.repository.statuses] == ["a", "b", "a"]


def test_another_ones_status_of_the_same_context_is_no_answer(place: Place) -> None:
    forge = place.with_token()
    forge.post_status(PROJECT, place.status(S.SUCCESS))
    place.with_token(token=place.github.token(place.alice)).post_status(PROJECT, place.status(S.FAILURE))
    forge.post_status(PROJECT, place.status(S.SUCCESS))
    assert [status.state for status in place.repository.statuses] == ["success", "failure", "success"]


def test_a_forks_commit_is_shown_in_the_project_itself(place: Place) -> None:
    stranger = place.github.user("stranger")
    fork = place.github.fork(place.repository, "stranger/ttbar", stranger)
    sha = place.github.push(fork, "theirs", by=stranger)
    place.github.pull(place.repository, "theirs", source=fork, by=stranger)
    status = place.status(sha=sha, merge_request=2, source_project_id=str(fork.id))
    place.with_token().post_status(PROJECT, status)
    assert [one.sha for one in place.repository.statuses] == [sha]


def refusals(place: Place) -> dict[str, tuple[type[Exception], dict[str, Any]]]:
    reader = place.github.token(place.github.user("reader"))
    return {
        "unknown commit": (CommitGone, {"sha": "0" * 40}),
        "no right": (ForgeRefused, {"token": reader}),
    }


@pytest.mark.parametrize("case", ["unknown commit", "no right"])
def test_refusals(place: Place, case: str) -> None:
    kind, values = refusals(place)[case]
    forge = place.with_token(**({"token": values["token"]} if "token" in values else {}))
    status = place.status(**{name: value for name, value in values.items() if name != "token"})
    with pytest.raises(kind):
        forge.post_status(PROJECT, status)


def test_a_revoked_token_is_no_refusal_for_ever(place: Place) -> None:
    forge = place.with_token()
    place.github.revoke(place.token)
    with pytest.raises(ForgeError, match="put a new one"):
        forge.post_status(PROJECT, place.status())
    place.github.restore(place.token)
    forge.post_status(PROJECT, place.status())


@pytest.mark.parametrize(("retry_after", "wait"), [(None, 60), (3, 3)])
def test_secondary_limits(place: Place, retry_after: int | None, wait: float) -> None:
    place.github.limit_secondary(retry_after=retry_after)
    with pytest.raises(RateLimited) as limited:
        place.with_token().post_status(PROJECT, place.status())
    assert limited.value.retry_after == wait
    assert len(place.github.writes()) == 1, "nothing is repeated at once"
