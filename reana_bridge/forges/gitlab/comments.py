"""Comments that people wrote on merge requests, as the API has them: for those that no hook told of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

from reana_bridge.forges.base import CommentFacts
from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Asked
from reana_bridge.forges.gitlab.hooks import seconds_of
from reana_bridge.model.projects import Project

_PAGES = 3
_RIGHT = "the scope `api` (or `read_api`) and the Reporter role"


class Comments:
    """Reads the notes of one GitLab's merge requests."""

    def __init__(self, client: Client, id_of: Callable[[Project], str]) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of

    def since(self, project: Project, since: float) -> list[CommentFacts]:
        """What was written since then; see `HostedForge.comments`.

        A merge request changes with each note on it, so only those that changed are looked through.
        """
        path = f"{project_path(self._id_of(project))}/merge_requests"
        asked = Asked(what=f"list the merge requests of {project} that changed", right=_RIGHT)
        when = datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        query = {"state": "opened", "updated_after": when, "order_by": "updated_at", "sort": "asc"}
        changed = [one for page in self._client.pages(path, asked, query=query) for one in page]
        numbers = [one["iid"] for one in changed if isinstance(one.get("iid"), int)]
        found = [each for number in numbers for each in self._on(project, path, number, since)]
        return sorted(found, key=lambda each: (each.at, int(each.id)))

    def _on(self, project: Project, path: str, number: int, since: float) -> Iterator[CommentFacts]:
        asked = Asked(what=f"list the newest notes on !{number} of {project}", right=_RIGHT)
        query = {"order_by": "created_at", "sort": "desc"}
        for page in self._client.pages(f"{path}/{number}/notes", asked, most=_PAGES, query=query):
            for note in page:
                if (seconds_of(note.get("created_at")) or 0.0) < since:
                    return
                if (facts := _facts(note, number)) is not None:
                    yield facts


def _facts(note: Json, number: int) -> CommentFacts | None:
    """A note's values; None where it was changed, is GitLab's own, or is not for everybody."""
    author: Any = note.get("author")
    identity, at = note.get("id"), seconds_of(note.get("created_at"))
    unchanged = note.get("created_at") == note.get("updated_at")
    if not isinstance(identity, int) or not isinstance(author, dict) or at is None or not unchanged:
        return None
    if note.get("system") or note.get("internal") or note.get("confidential"):
        return None
    who = cast(Json, author)
    return CommentFacts(
        number=number,
        id=str(identity),
        body=str(note.get("body") or ""),
        author=str(who.get("username") or ""),
        author_id=str(who.get("id") or ""),
        at=at,
    )
