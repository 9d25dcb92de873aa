"""Attempts: how often a run that the infrastructure failed starts again, and when.

Promises: `limits.attempts` bounds the attempts that broke; one that ended for want of room on its backend
counts for none of them, and what ends such a run is its time, `limits.queued_seconds`.
"""

from dataclasses import replace
from typing import Any

from reana_bridge.model.restarts import Restart
from reana_bridge.model.results import Failure
from reana_bridge.reports.words import plural
from reana_bridge.settings import LimitSettings
from reana_bridge.steps.restarting import settings_with
from reana_bridge.steps.worker import pause
from reana_bridge.store.tables import Run

_KEY = "without_room"


def without_room(run: Run) -> int:
    """How many of the run's attempts ended for want of room."""
    settings: dict[str, Any] = run.settings or {}
    return int(settings.get(_KEY, 0))


def may_try_again(run: Run, limits: LimitSettings, *, no_room: bool, now: float) -> bool:
    """Whether a run whose attempt was lost starts again.

    Args:
        run: As it was when that was told.
        limits: As the settings have them.
        no_room: Whether the attempt ended for want of room.
        now: UTC seconds since the epoch.
    """
    if no_room:
        return now - run.queued_at < limits.queued_seconds
    return run.run_attempt - without_room(run) < limits.attempts


def given_up(run: Run, failure: Failure) -> Failure:
    """The failure of a run that does not start again, as the report shows it."""
    tried = f"tried {plural(run.run_attempt, 'time')}; run it again when that is mended"
    return replace(failure, hint=f"{failure.hint}; {tried}" if failure.hint else tried)


def next_attempt(run: Run, restart: Restart | None, *, no_room: bool, now: float) -> dict[str, Any]:
    """What to store with a run that starts again: column -> value.

    Args:
        run: As it was when its attempt was lost.
        restart: What the next attempt takes up; None to begin anew.
        no_room: Whether the attempt ended for want of room; the next one waits the longer the more have.
        now: UTC seconds since the epoch.
    """
    count = without_room(run) + no_room
    settings = settings_with(run.settings, restart) | ({_KEY: count} if count else {})
    return {
        "run_attempt": run.run_attempt + 1,
        "backend_name": "",
        "backend_id": None,
        "host": "",
        "steps": None,
        "started_at": None,
        "settings": settings,
        "due_at": now + pause(count) if no_room else now,
    }
