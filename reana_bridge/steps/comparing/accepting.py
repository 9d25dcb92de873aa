"""What people accepted, as far as it speaks of a run: in its own merge request, or in one that it builds on.

What was accepted elsewhere does not count. An acceptance that was merged counts where the change lies between
the run and its baseline, and cuts off what the target branch had of the metric before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from reana_bridge.forges.source import first_parents, merge_base
from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Acceptance
from reana_bridge.steps.comparing.choosing import LOOK_BACK, Chosen
from reana_bridge.steps.comparing.ruling import target_sha
from reana_bridge.store.tables import AcceptanceRow, Run

_row = cast(Any, AcceptanceRow)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Differences that are expected of a run.

    Attributes:
        acceptances: Those that count, the newest first.
        merged: By metric the commits by which accepted changes came to the project's branches.
    """

    acceptances: tuple[Acceptance, ...] = ()
    merged: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def expected_of(session: Session, row: Run, cache: Path, chosen: Chosen) -> Expected:
    """What is expected of `row`, compared with what was `chosen`.

    Args:
        session: The database, to read.
        row: The run that is compared.
        cache: The project's commits.
        chosen: Its baseline.

    Raises:
        ForgeRefused: the history cannot be read.
    """
    own = row.merge_request if row.proposal else None
    same = (_row.project == row.project, _row.analysis == row.analysis)
    newest = select(AcceptanceRow).where(*same, or_(_row.merge_request == own, _row.merged_sha != ""))
    rows = session.execute(newest.order_by(_row.accepted_at.desc(), _row.id.desc())).scalars().all()
    if not rows:
        return Expected()
    merged: dict[str, list[str]] = {}
    for each in rows:
        if each.merged_sha:
            merged.setdefault(each.metric, []).append(each.merged_sha)
    brought = _brought(row, cache, chosen) if merged else frozenset[str]()
    counting = [each for each in rows if each.merge_request == own or each.merged_sha in brought]
    return Expected(acceptances=tuple(map(_acceptance, counting)), merged=merged)


def _acceptance(row: AcceptanceRow) -> Acceptance:
    said = {"metric": row.metric, "value": row.value, "reason": row.reason, "by": row.accepted_by}
    return from_data(
        Acceptance, {**said, "at": row.accepted_at, "sha": row.sha, "merge_request": row.merge_request}
    )


def _brought(row: Run, cache: Path, chosen: Chosen) -> frozenset[str]:
    """The target branch's commits that the run builds on and its baseline does not."""
    start = merge_base(cache, row.sha, target_sha(row)) if row.proposal else row.sha
    commits = first_parents(cache, start, LOOK_BACK + 1) if start else []
    if not chosen.oldest:
        return frozenset(commits)
    before = frozenset(first_parents(cache, chosen.oldest, LOOK_BACK + 1))
    shared = next((place for place, sha in enumerate(commits) if sha in before), len(commits))
    return frozenset(commits[:shared])
