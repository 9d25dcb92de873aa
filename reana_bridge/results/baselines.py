"""Chooses the run that a result is compared with.

For a proposal the wanted commit is the merge-base with the target branch, for a push to the default
branch the first parent. In this order: the newest successful run there; the nearest first-parent ancestor
of it with one; the tip of the target branch. A run that is still live and nearer than what was found is
waited for: the comparison is interim until it ends. The choice depends on nothing but what is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reana_bridge.model.comparisons import Baseline, BaselineReason


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A commit whose runs (same analysis, default parameters, other than the run itself) were looked up.

    Attributes:
        sha: The commit, 40 hexadecimal digits.
        distance: First-parent steps from the wanted commit back to this one; 0 for the wanted one itself.
        run_id: Its newest successful run; None where it has none.
        live_run_id: A run of it that has not ended; None where there is none.
        ended_at: When `run_id` ended, UTC seconds since the epoch.
    """

    sha: str
    distance: int
    run_id: str | None = None
    live_run_id: str | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The baseline that was chosen, or why there is none.

    Attributes:
        baseline: None where nothing can be compared with.
        no_baseline: One sentence; empty where there is a baseline.
        waiting_for: Commit of a live run that would be a better baseline; empty when there is none.
    """

    baseline: Baseline | None
    no_baseline: str = ""
    waiting_for: str = ""


def choose_baseline(
    *,
    ancestors: Sequence[Candidate],
    branch: str,
    proposal: bool,
    tip: Candidate | None = None,
    ahead: int | None = None,
) -> Choice:
    """The baseline among the commits that were looked up.

    Args:
        ancestors: The wanted commit and its first-parent ancestors in any order, as far as they were
            looked up; empty where there is no wanted commit (a first commit, or no shared history).
        branch: The target branch (for a push to the default branch: that branch).
        proposal: Whether this is a proposal (a merge request or a branch) rather than the default branch.
        tip: The target branch's tip, for a proposal; its `distance` means nothing.
        ahead: How many commits the target branch is further than the wanted commit; None where unknown.
    """
    nearest = sorted(ancestors, key=lambda candidate: candidate.distance)
    found = next((candidate for candidate in nearest if candidate.run_id), None)
    live = next(
        (c for c in nearest if c.live_run_id and (found is None or c.distance < found.distance)), None
    )
    if found is not None:
        reason = _reason(found.distance, proposal=proposal)
        return Choice(
            baseline=_baseline(found, branch, reason, found.distance, ahead), waiting_for=_sha(live)
        )
    if proposal and tip is not None and tip.run_id:
        return Choice(
            baseline=_baseline(tip, branch, BaselineReason.TARGET_TIP, 0, ahead), waiting_for=_sha(live)
        )
    if live is None and proposal and tip is not None and tip.live_run_id:
        live = tip
    return Choice(
        baseline=None, no_baseline=_why_none(nearest, live, branch, proposal), waiting_for=_sha(live)
    )


def _sha(live: Candidate | None) -> str:
    return live.sha if live else ""


def _reason(distance: int, *, proposal: bool) -> BaselineReason:
    if distance:
        return BaselineReason.ANCESTOR
    return BaselineReason.MERGE_BASE if proposal else BaselineReason.FIRST_PARENT


def _baseline(
    chosen: Candidate, branch: str, reason: BaselineReason, distance: int, ahead: int | None
) -> Baseline:
    return Baseline(
        run_id=chosen.run_id or "",
        sha=chosen.sha,
        branch=branch,
        reason=reason,
        distance=distance,
        ahead=ahead,
        ended_at=chosen.ended_at,
    )


def _why_none(nearest: Sequence[Candidate], live: Candidate | None, branch: str, proposal: bool) -> str:
    if live is not None:
        return f"the first run to compare with, at {live.sha[:7]} on {branch}, has not ended yet"
    if not nearest:
        if proposal:
            return f"This branch shares no commit with {branch}"
        return f"This is the first commit of {branch}"
    wanted = "the merge-base" if proposal else "the first parent"
    return f"{branch} has no successful run at {wanted} {nearest[0].sha[:7]} or before it"
