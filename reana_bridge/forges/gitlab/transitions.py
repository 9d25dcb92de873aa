"""Which commit status may follow which on GitLab, and what is sent for it: pure answers.

Promises: only changes are sent, each once an attempt, and never anything after a final state of the same
attempt: GitLab would open the check again. See https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
"""

from collections.abc import Iterable, Mapping
from typing import Any

from reana_bridge.forges.base import Posted, Status, StatusState
from reana_bridge.forges.telling import shortened

LONGEST = 255
"""Characters of a description, a name and a link."""

NAMES = {
    StatusState.PENDING: "pending",
    StatusState.RUNNING: "running",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failed",
    StatusState.ERROR: "failed",
    StatusState.CANCELLED: "canceled",
}
_ORDER = {"created": 0, "pending": 0, "running": 1}
_FINAL = 2


def is_news(status: Status, posted: Posted) -> bool:
    """Whether `status` is to be sent after what was sent so far."""
    if not posted.get("state"):
        return True
    attempt = int(posted.get("attempt") or 0)
    if status.attempt != attempt:
        return status.attempt > attempt
    return order(NAMES[status.state]) > order(str(posted["state"]))


def is_as_told(status: Status, posted: Posted) -> bool:
    """Whether `status` is what GitLab was last made to show."""
    return int(posted.get("attempt") or 0) == status.attempt and posted.get("state") == NAMES[status.state]


def order(state: str) -> int:
    """0 for waiting, 1 for running, 2 for every end, in GitLab's names."""
    return _ORDER.get(state, _FINAL)


def agrees(shown: str, status: Status) -> bool:
    """Whether a commit that shows `shown` (GitLab's name) needs nothing more to show `status`."""
    wanted = NAMES[status.state]
    return shown == wanted or order(wanted) <= order(shown) < _FINAL


def is_settled(shown: str, status: Status, posted: Posted) -> bool:
    """Whether a commit that shows `shown` needs nothing more, where it is not known what was sent last.

    An end that this attempt did not have when it was last told of was sent meanwhile, and stays.
    """
    same = int(posted.get("attempt") or 0) == status.attempt
    ended = same and order(str(posted.get("state"))) < _FINAL <= order(shown)
    return ended or agrees(shown, status)


def short_ref(status: Status) -> str:
    """The ref as GitLab wants it: the source branch of a merge request, else a branch's or tag's name."""
    if status.source_branch:
        return status.source_branch
    return status.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def body(status: Status, *, ref: str, pipeline: int | None) -> dict[str, Any]:
    """What is sent, within GitLab's limits; a link that is too long is left out rather than cut."""
    sent: dict[str, Any] = {"state": NAMES[status.state], "name": status.context}
    sent["description"] = shortened(status.description, LONGEST)
    if ref:
        sent["ref"] = ref
    if status.url and len(status.url) <= LONGEST:
        sent["target_url"] = status.url
    if pipeline is not None:
        sent["pipeline_id"] = pipeline
    return sent


def choose_pipeline(
    pipelines: Iterable[Mapping[str, Any]], *, sha: str, project: str
) -> Mapping[str, Any] | None:
    """The pipeline of the forge's own CI that a status of `sha` belongs to; None while there is none.

    Never one with the source `external`: those exist because somebody (we) posted a status. A merge request's
    own pipeline goes before a branch's, the newest goes first.

    Args:
        pipelines: As the API lists them.
        sha: The head commit.
        project: The id of the project that the status is posted to; empty where it need not be asked.
    """
    own = [
        each
        for each in pipelines
        if each.get("sha") == sha
        and each.get("source") != "external"
        and isinstance(each.get("id"), int)
        and (not project or str(each.get("project_id", project)) == project)
    ]
    own.sort(key=lambda each: (each.get("source") == "merge_request_event", each["id"]))
    return own[-1] if own else None
