"""Which queued runs may start now: within the backend's and the projects' limits, fair between projects."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A queued run that is due.

    Attributes:
        id: The run.
        project: Its project's name.
        priority: Higher goes first.
        queued_at: UTC seconds since the epoch; earlier goes first among equals.
    """

    id: str
    project: str
    priority: int
    queued_at: float


def admit(
    candidates: Iterable[Candidate],
    in_flight: Mapping[str, int],
    *,
    slots: int,
    limits: Mapping[str, int | None],
) -> list[str]:
    """The runs to start, in this order.

    The highest priority goes first; among equals the project with the fewest runs in flight (counting those
    admitted before), then the run that waits longest.

    Args:
        candidates: Queued runs that are due.
        in_flight: Project -> runs that hold a slot now.
        slots: How many more the backend takes.
        limits: Project -> how many it may have in flight; None or absent for no limit of its own.
    """
    running = Counter(in_flight)
    waiting = list(candidates)
    admitted: list[str] = []
    while waiting and len(admitted) < slots:
        open_to = [c for c in waiting if _below(running[c.project], limits.get(c.project))]
        if not open_to:
            break
        chosen = min(open_to, key=lambda c: (-c.priority, running[c.project], c.queued_at, c.id))
        admitted.append(chosen.id)
        running[chosen.project] += 1
        waiting.remove(chosen)
    return admitted


def _below(count: int, limit: int | None) -> bool:
    return limit is None or count < limit
