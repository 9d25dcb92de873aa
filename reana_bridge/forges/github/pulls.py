"""Pull requests and repositories as GitHub has them now."""

from typing import Any

from reana_bridge.forges.base import ForgeError, MergeRequestFacts, ProjectFacts
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.model.projects import Project

_RIGHT = "the permission `pull requests: read`"


class Pulls:
    """Asks for pull requests and repositories."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def one(self, project: Project, number: int) -> MergeRequestFacts | None:
        """The pull request now; None when there is none."""
        data = self._read(project, number)
        # Another repository may have taken the name of one that was renamed.
        if self._is_of_another(project, data) and self._api.relocate(project):
            data = self._read(project, number)
        return None if data is None or self._is_of_another(project, data) else parse(data, self._api.name)

    def _read(self, project: Project, number: int) -> Any:
        what = f"show pull request {project}#{number}"
        answer = self._api.of("GET", f"/pulls/{number}", project, what=what, right=_RIGHT, accept={404, 410})
        return None if answer.status >= 400 else answer.data

    def _is_of_another(self, project: Project, data: Any) -> bool:
        known = self._api.id_of(project)
        return bool(known) and data is not None and answers.identity(data, "base", "repo", "id") != known

    def open(self, project: Project) -> list[MergeRequestFacts]:
        """All that are open, the newest first; what did not change is not sent again."""
        return self._api.conditional(
            "/pulls",
            project,
            what=f"list the open pull requests of {project}",
            query={"state": "open"},
            parse=lambda item: parse(item, self._api.name),
        )

    def facts(self, project: Project) -> ProjectFacts:
        """What GitHub says of the repository now: the one with the remembered id, whatever it is called."""
        known = self._api.id_of(project)
        path = f"/repositories/{known}" if known else self._api.repository(project)
        data = self._api.call("GET", path, project, what=f"show the repository {project}").data
        if not answers.identity(data, "id") or not answers.text(data, "full_name"):
            raise ForgeError(f"forge {self._api.name}: GitHub described {project} without id or name")
        return ProjectFacts(
            id=answers.identity(data, "id"),
            path=answers.text(data, "full_name"),
            default_branch=answers.text(data, "default_branch"),
            private=answers.inner(data, "private") is not False,
            archived=answers.inner(data, "archived") is True,
        )


def parse(item: Any, forge: str) -> MergeRequestFacts:
    """A pull request of the API as ours.

    Raises:
        ForgeError: It is none.
    """
    number, sha = answers.number(item, "number"), answers.text(item, "head", "sha")
    if number is None or not sha:
        raise ForgeError(f"forge {forge}: GitHub described a pull request without number or head commit")
    source, target = (
        answers.identity(item, "head", "repo", "id"),
        answers.identity(item, "base", "repo", "id"),
    )
    return MergeRequestFacts(
        number=number,
        sha=sha,
        ref=f"refs/pull/{number}/head",
        source_branch=answers.text(item, "head", "ref"),
        target_branch=answers.text(item, "base", "ref"),
        source_project_id=source,
        fork=not source or source != target,
        labels=tuple(answers.text(label, "name") for label in answers.each(item, "labels")),
        draft=answers.inner(item, "draft") is True,
        open=answers.text(item, "state") == "open",
        author=answers.text(item, "user", "login"),
        # Of one that is not merged it is a trial that GitHub makes for itself.
        merged_sha=answers.text(item, "merge_commit_sha") if answers.text(item, "merged_at") else "",
    )
