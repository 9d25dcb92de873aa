"""Which queued runs may start now: within all limits, by priority, fair between projects."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A queued run that is due.

    Attributes:
        id: The run.
        project: Its project's name.
        account: The backend's account that it would run with; empty where there are none.
        priority: Higher goes first.
        queued_at: UTC seconds since the epoch; earlier goes first among equals.
    """

    id: str
    project: str
    account: str = ""
    priority: int
    queued_at: float


@dataclass(frozen=True, kw_only=True)
class Load:
    """Runs that hold a slot now, by project and by account, and the most that each may have.

    Attributes:
        projects: Project -> runs in flight.
        accounts: Account -> runs in flight.
        project_limits: Project -> at most so many; None or absent for no limit of its own.
        account_limits: Likewise for accounts.
    """

    projects: Mapping[str, int] = field(default_factory=dict[str, int])
    accounts: Mapping[str, int] = field(default_factory=dict[str, int])
    project_limits: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    account_limits: Mapping[str, int | None] = field(default_factory=dict[str, int | None])


def admit(candidates: Iterable[Candidate], load: Load, *, slots: int) -> list[str]:
    """The runs to start, in this order.

    The highest priority goes first; among equals the project with the fewest runs in flight (counting those
    admitted before), then the run that waits longest. One whose project or account is at its limit lets the
    others pass.

    Args:
        candidates: Queued runs that are due.
        load: What is in flight, and the limits.
        slots: How many more the backend takes.
    """
    projects, accounts = Counter(load.projects), Counter(load.accounts)
    waiting = list(candidates)
    admitted: list[str] = []
    while len(admitted) < slots:
        waiting = [
            one
            for one in waiting
            if _below(projects[one.project], load.project_limits.get(one.project))
            and _below(accounts[one.account], load.account_limits.get(one.account))
        ]
        if not waiting:
            break
        chosen = min(waiting, key=lambda c: (-c.priority, projects[c.project], c.queued_at, c.id))
        admitted.append(chosen.id)
        projects[chosen.project] += 1
        accounts[chosen.account] += 1
        waiting.remove(chosen)
    return admitted


def _below(count: int, limit: int | None) -> bool:
    return limit is None or count < limit
