"""Commit statuses: what a commit shows where we are no GitHub App.

Promises: only changes are posted; nothing follows a final state of the same attempt; an older attempt never
writes over a newer one. They go to the project itself, also for a fork's commit.
"""

from reana_bridge.forges.base import FINAL_STATES, Posted, Status, StatusState
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.telling import settled, shortened
from reana_bridge.model.projects import Project

DESCRIPTION_LIMIT = 140
"""Characters; GitHub refuses more."""

STATES = {
    StatusState.PENDING: "pending",
    StatusState.RUNNING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failure",
    StatusState.ERROR: "error",
    StatusState.CANCELLED: "error",
}
"""Our states in GitHub's words, of which there are four."""

_RIGHT = "the scope `repo:status`, or the permission `commit statuses: write`"


def is_outdated(status: Status, posted: Posted) -> bool:
    """Whether what was posted already is further than `status`: a later attempt, or the end of this one."""
    attempt = posted.get("attempt", 0)
    return attempt > status.attempt or (
        attempt == status.attempt and bool(posted.get("final")) and status.state not in FINAL_STATES
    )


class Statuses:
    """Posts commit statuses with a plain token."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def post(self, project: Project, status: Status, posted: Posted) -> Posted:
        """Make the commit show `status`; arguments and errors as `Forge.post_status`.

        What is shown is read only where nothing is remembered or a call before got no answer (`unsure`).
        """
        if is_outdated(status, posted):
            return settled(posted)
        wanted = {
            "state": STATES[status.state],
            "context": status.context,
            "description": shortened(status.description, DESCRIPTION_LIMIT),
        }
        if status.url:
            wanted["target_url"] = status.url
        remembered = {"attempt": status.attempt, "final": status.state in FINAL_STATES, "shown": wanted}
        if "shown" not in posted or posted.get("unsure"):
            is_shown = self._shows(project, status.sha, wanted)
        else:
            is_shown = posted.get("attempt") == status.attempt and posted["shown"] == wanted
        if not is_shown:
            self._post(project, status.sha, wanted)
        return remembered

    def _post(self, project: Project, sha: str, wanted: dict[str, str]) -> answers.Answer:
        what = f"show the status {wanted['context']} of {project} at {sha[:10]}"
        return self._api.of("POST", f"/statuses/{sha}", project, what=what, right=_RIGHT, data=wanted)

    def _shows(self, project: Project, sha: str, wanted: dict[str, str]) -> bool:
        """Whether the newest status of the context says so already: the answer to it may have been lost."""
        what = f"list the statuses of {project} at {sha[:10]}"
        path = f"/commits/{sha}/statuses"
        answer = self._api.of("GET", path, project, what=what, right=_RIGHT, query={"per_page": 100})
        context = wanted["context"].casefold()
        for item in answers.each({"items": answer.data}, "items"):
            if answers.text(item, "context").casefold() == context:
                keys = ("state", "description", "target_url")
                return all(answers.text(item, key) == wanted.get(key, "") for key in keys)
        return False
