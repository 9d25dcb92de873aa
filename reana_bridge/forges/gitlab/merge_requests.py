"""Projects and merge requests as GitLab tells of them, turned into our own values."""

import re
from collections.abc import Callable
from typing import Any, cast

from reana_bridge.forges.base import ForgeError, MergeRequestFacts, ProjectFacts
from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Answered, Asked
from reana_bridge.model.projects import Project

_MOVED = re.compile(r"/api/v4/projects/([0-9]{1,20})(?:\?|$)", re.ASCII)
_RIGHT = "the scope `api` (or `read_api`) and the Reporter role"


class MergeRequests:
    """The merge requests of one GitLab's projects."""

    def __init__(self, client: Client, id_of: Callable[[Project], str]) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of

    def project(self, project: Project, name: str) -> ProjectFacts:
        """What GitLab says of the project now; see `HostedForge.facts`.

        Args:
            project: For the messages.
            name: Its id, or its path: GitLab tells the id where that path is an old one.
        """
        asked = Asked(what=f"tell of the project {project}", right=_RIGHT)
        try:
            answer = self._client.raw("get", project_path(name), asked)
        except Answered as refusal:
            moved = _MOVED.search(str(refusal.headers.get("Location", "")))
            if refusal.status != 301 or moved is None or moved[1] == name:
                raise self._client.errors.answered(asked, refusal) from refusal
            return self.project(project, moved[1])
        return project_facts(self._client.object_of(answer, asked))

    def one(self, project: Project, number: int) -> MergeRequestFacts | None:
        """The merge request now; None when there is none."""
        asked = Asked(what=f"tell of !{number} of {project}", right=_RIGHT)
        path = f"{project_path(self._id_of(project))}/merge_requests/{number}"
        try:
            answer = self._client.raw("get", path, asked)
        except Answered as refusal:
            if refusal.status == 404 and "project" not in refusal.said.lower():
                return None
            raise self._client.errors.answered(asked, refusal) from refusal
        return merge_request_facts(self._client.object_of(answer, asked))

    def open(self, project: Project) -> list[MergeRequestFacts]:
        """All that are open; pages that did not change are not sent again."""
        asked = Asked(what=f"list the merge requests of {project}", right=_RIGHT)
        path = f"{project_path(self._id_of(project))}/merge_requests"
        query = {"state": "opened", "order_by": "created_at", "sort": "asc"}
        pages = self._client.unchanged_pages(path, asked, query, parse=merge_request_facts)
        return [facts for page in pages for facts in page]


def project_facts(answer: Json) -> ProjectFacts:
    """The values of a project.

    Raises:
        ForgeError: `answer` is none.
    """
    identity, path = answer.get("id"), answer.get("path_with_namespace")
    if not isinstance(identity, int) or not isinstance(path, str):
        raise ForgeError("GitLab's answer is no project; check the forge's url")
    return ProjectFacts(
        id=str(identity),
        path=path,
        default_branch=_text(answer.get("default_branch")),
        private=answer.get("visibility") != "public",
        archived=bool(answer.get("archived")),
    )


def merge_request_facts(answer: Json) -> MergeRequestFacts:
    """The values of a merge request.

    Raises:
        ForgeError: `answer` is none.
    """
    number = answer.get("iid")
    if not isinstance(number, int):
        raise ForgeError("GitLab's answer is no merge request; check the forge's url")
    source, target = answer.get("source_project_id"), answer.get("target_project_id")
    labels: Any = answer.get("labels")
    names: list[Any] = [
        cast(Json, each).get("name") if isinstance(each, dict) else each
        for each in (cast(list[Any], labels) if isinstance(labels, list) else [])
    ]
    author: Any = answer.get("author")
    name: Any = cast(Json, author).get("username") if isinstance(author, dict) else ""
    draft = answer.get("draft", answer.get("work_in_progress"))
    return MergeRequestFacts(
        number=number,
        sha=_text(answer.get("sha")),
        ref=f"refs/merge-requests/{number}/head",
        source_branch=_text(answer.get("source_branch")),
        target_branch=_text(answer.get("target_branch")),
        source_project_id="" if source is None else str(source),
        # A source that is gone was another repository: the target is there.
        fork=source is None or source != target,
        labels=tuple(each for each in names if isinstance(each, str)),
        draft=bool(draft),
        open=answer.get("state") == "opened",
        author=_text(name),
        merged_sha=_merged_sha(answer),
    )


def _merged_sha(answer: Json) -> str:
    """A squashed one has a squash commit, and a merge commit too unless its target was only moved there."""
    if answer.get("state") != "merged":
        return ""
    return next(
        filter(None, (_text(answer.get(f"{key}sha")) for key in ("merge_commit_", "squash_commit_", ""))), ""
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
