"""Chooses the run that a result is compared with.

Where it is looked for is a list of places in the order of preference; the project may say another order:

    merge-base  the merge-base with the target branch; on the target branch itself the first parent
    ancestor    first-parent ancestors of it, the nearest first
    target      the tip of the target branch (for a proposal)
    tag         tagged commits, the newest first
    pinned      the run that the project names
    rolling     the last runs on the target branch together: medians instead of one run's values

The first place with a successful run wins. A run that is still live at a better place is waited for: the
comparison is interim until it ends. The choice depends on nothing but what is given.
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
    distance: int = 0
    run_id: str | None = None
    live_run_id: str | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a baseline may be.

    Attributes:
        candidate: The commit with its runs.
        reason: What the choice of it is explained by.
        tag: The tag that names it; empty for none.
        runs: How many runs it stands for; more than 1 only where they are taken together.
    """

    candidate: Candidate
    reason: BaselineReason
    tag: str = ""
    runs: int = 1


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
    places: Sequence[Place], *, branch: str, none: str = "", ahead: int | None = None
) -> Choice:
    """The baseline among `places`, which stand in the order of preference.

    Args:
        places: What was looked up.
        branch: The target branch (for a push to the default branch: that branch); empty where the places
            have nothing to do with one.
        none: Why there is none, where there is none and nothing is waited for: one sentence.
        ahead: How many commits the target branch is further than the wanted commit; None where unknown.
    """
    best = next((number for number, place in enumerate(places) if place.candidate.run_id), len(places))
    live = next((place.candidate for place in places[:best] if place.candidate.live_run_id), None)
    waiting_for = live.sha if live else ""
    if best < len(places):
        return Choice(baseline=_baseline(places[best], branch, ahead), waiting_for=waiting_for)
    if live is not None:
        on = f" on {branch}" if branch else ""
        none = f"the first run to compare with, at {live.sha[:7]}{on}, has not ended yet"
    return Choice(baseline=None, no_baseline=none, waiting_for=waiting_for)


def _baseline(chosen: Place, branch: str, ahead: int | None) -> Baseline:
    candidate = chosen.candidate
    return Baseline(
        run_id=candidate.run_id or "",
        sha=candidate.sha,
        branch=branch,
        reason=chosen.reason,
        distance=candidate.distance,
        ahead=ahead,
        ended_at=candidate.ended_at,
        tag=chosen.tag,
        runs=chosen.runs,
    )
