"""Who wants a run, when that ends, and whether a run that nobody wants any more is cancelled.

A branch, merge request or tag wants the commit that it points to; what it points to is asked anew each time.
A person or the clock wants a run to its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class WantKind(StrEnum):
    """What wants a run."""

    BRANCH = "branch"
    MERGE_REQUEST = "merge-request"
    TAG = "tag"
    MANUAL = "manual"
    SCHEDULE = "schedule"


_FOLLOWS_REF = frozenset({WantKind.BRANCH, WantKind.MERGE_REQUEST, WantKind.TAG})


@dataclass(frozen=True, kw_only=True)
class Want:
    """Somebody's wish for a run.

    Attributes:
        kind: What wants it.
        ref: The full ref whose head it follows, such as `refs/heads/main`; empty for a person.
        sha: The commit that it wants.
    """

    kind: WantKind
    ref: str
    sha: str


def ended(want: Want, head: str | None) -> str:
    """Why `want` has ended now that its ref is at `head` (None: gone); empty while it lasts."""
    if want.kind not in _FOLLOWS_REF or head == want.sha:
        return ""
    if head is None:
        return f"{want.ref} is gone"
    return f"{want.ref} is now at {head[:7]}"


def reason_to_cancel(
    wants: Iterable[tuple[Want, str | None]], *, proposal: bool, cancel_superseded: bool | None
) -> str:
    """Why a live run is cancelled, one clause; empty when it goes on.

    Args:
        wants: Its wants, each with the commit that its ref points to now (None: gone). Without any, nobody
            wants it any more.
        proposal: Whether it was started for a merge request or a branch that is one.
        cancel_superseded: What the project says; None for the default: yes for proposals only.
    """
    ends = [ended(want, head) for want, head in wants]
    if not all(ends):
        return ""
    if not (proposal if cancel_superseded is None else cancel_superseded):
        return ""
    return f"superseded: {ends[-1]}" if ends else "nobody wants it any more"
