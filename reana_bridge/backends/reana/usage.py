"""What this bridge's workflows took and take on the server, and which were begun and forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from reana_bridge.backends.base import Usage
from reana_bridge.backends.reana import names
from reana_bridge.backends.reana.calls import Calls, by_name
from reana_bridge.backends.reana.client import Query
from reana_bridge.backends.reana.settings import ReanaSettings
from reana_bridge.backends.reana.values import ENDED, LIVE, Workflow

_PAGE = 200
_PAGES = 250
_FORGOTTEN_SECONDS = 2 * 86400.0


def usage_of(account: str, calls: Calls, settings: ReanaSettings) -> list[Usage]:
    """What each ended workflow of an account takes; only this bridge's own.

    One that was created and for days not started counts too: an answer came late, and another one ran.

    Raises:
        ReanaError: The server does not say.
    """
    query = [("status", status) for status in (*ENDED, "created")]
    query += [("include_workspace_size", "true"), ("include_progress", "true")]
    newest: dict[tuple[str, int], Workflow] = {}
    for one, _ in _own(calls, settings.tag, query, size=_PAGE, what="list the ended runs"):
        newest[_place(one)] = max(one, newest.get(_place(one), one), key=lambda other: other.number)
    busy = _restarted(calls, settings) if newest else set[tuple[str, int]]()
    return [
        Usage(identity=names.identity_of(account, one.id), size=one.size or 0, ended_at=_ended_at(one))
        for place, one in newest.items()
        if place not in busy
    ]


def _place(one: Workflow) -> tuple[str, int]:
    """Names a workspace: restarts are in that of the first workflow, and each one's deletion deletes it."""
    return one.name, one.number[0] if one.number else 0


def _restarted(calls: Calls, settings: ReanaSettings) -> set[tuple[str, int]]:
    """Workspaces that a restart is at work in."""
    query = [("status", status) for status in LIVE]
    live = _own(calls, settings.tag, query, size=settings.page, what="list the live runs")
    return {_place(one) for one, _ in live if len(one.number) > 1}


def _own(
    calls: Calls, tag: str, query: Query, *, size: int, what: str
) -> Iterator[tuple[Workflow, names.Name]]:
    """This bridge's workflows of an account that `query` leaves, each with what its name says."""
    for page in calls.pages([*query, by_name(names.mark(tag))], size=size, most=_PAGES, what=what):
        for one in page:
            said = names.parse(one.name)
            if said is not None and said.tag == tag:
                yield one, said


@dataclass(frozen=True, kw_only=True)
class Living:
    """A workflow that has not ended.

    Attributes:
        identity: The job.
        name: The job's name.
        since: UTC seconds since the epoch, by the server's clock.
    """

    identity: str
    name: str
    since: float


def living_of(account: str, calls: Calls, settings: ReanaSettings) -> list[Living]:
    """This bridge's workflows of an account that have not ended.

    Raises:
        ReanaError: The server does not say.
    """
    query = [("status", status) for status in LIVE]
    return [
        Living(
            identity=names.identity_of(account, one.id),
            name=names.job_of(said, one.number),
            since=one.created_at,
        )
        for one, said in _own(calls, settings.tag, query, size=settings.page, what="list the live runs")
        if one.created_at is not None
    ]


def _ended_at(one: Workflow) -> float:
    if one.status == "created":
        return (one.created_at or 0.0) + _FORGOTTEN_SECONDS
    return one.progress.ended_at or one.created_at or 0.0
