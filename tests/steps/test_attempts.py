"""The budget of attempts: what breaks counts, want of room does not, and that has a deadline instead."""

from itertools import accumulate
from typing import Any

import pytest

from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind
from reana_bridge.sections import LimitSettings
from reana_bridge.steps.attempts import given_up, may_try_again, next_attempt, without_room
from reana_bridge.store.tables import Run

NOW = 1_000_000.0
DAY = 86400.0


def run(*, attempt: int = 1, without: int = 0, waited: float = 0.0) -> Run:
    settings: dict[str, Any] = {"analysis": {"name": "fit"}} | ({"without_room": without} if without else {})
    return Run(id="r", run_attempt=attempt, settings=settings, queued_at=NOW - waited)


@pytest.mark.parametrize(
    ("attempt", "without", "no_room", "waited", "again"),
    [
        (1, 0, False, 0.0, True),
        (2, 0, False, 0.0, True),
        (3, 0, False, 0.0, False),
        (3, 0, False, 9 * DAY, False),
        # Of five attempts three only waited.
        (5, 3, False, 0.0, True),
        (6, 3, False, 0.0, False),
        (3, 2, True, 0.0, True),
        (99, 98, True, 6.9 * DAY, True),
        (1, 0, True, 7 * DAY, False),
    ],
)
def test_may_try_again(attempt: int, without: int, no_room: bool, waited: float, again: bool) -> None:
    lost = run(attempt=attempt, without=without, waited=waited)
    assert may_try_again(lost, LimitSettings(), no_room=no_room, now=NOW) is again


def test_the_next_attempt_begins_at_once_after_a_break() -> None:
    told = next_attempt(run(attempt=2, without=1), None, no_room=False, now=NOW)
    assert (told["run_attempt"], told["due_at"]) == (3, NOW)
    assert told["settings"] == {"analysis": {"name": "fit"}, "without_room": 1}


def test_it_waits_the_longer_the_more_often_there_was_no_room() -> None:
    lost, pauses = run(), []
    for _ in range(12):
        told = next_attempt(lost, None, no_room=True, now=NOW)
        pauses.append(told["due_at"] - NOW)
        lost = run(attempt=told["run_attempt"], without=told["settings"]["without_room"])
    assert without_room(lost) == 12
    assert max(pauses) <= 375.0
    assert list(accumulate(pauses[:8], max)) == pauses[:8]


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("", "tried 3 times; run it again when that is mended"),
        ("it needs room", "it needs room; tried 3 times; run it again when that is mended"),
    ],
)
def test_the_last_failure_promises_nothing(hint: str, shown: str) -> None:
    failure = Failure(kind=FailureKind.INFRASTRUCTURE, message="evicted", hint=hint)
    assert given_up(run(attempt=3), failure).hint == shown
