"""A request to the fake's REST API, its answer, and what all handlers share: rights, values, pages."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from reana_bridge.testing.answering import Answer, Refused
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.delivering import Deliveries
from reana_bridge.testing.github.things import App, Project, Pull, User
from reana_bridge.testing.github.world import Actor, World

_SHA = re.compile(r"[0-9a-f]{40}")
_PAGE, _MOST = 30, 100


def said(status: int, message: str, *errors: Any) -> Refused:
    """An error in GitHub's form."""
    payload = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return Refused(status, payload | ({"errors": list(errors)} if errors else {}))


def invalid(resource: str, name: str, why: str) -> Refused:
    """422 for a value that does not do."""
    error = {"resource": resource, "field": name, "code": "custom", "message": why}
    return said(422, "Validation Failed", error)


@dataclass(kw_only=True)
class Call:
    """One authenticated request.

    Attributes:
        world: The GitHub.
        bodies: Writes answers.
        deliveries: Its webhooks.
        url: Its address without the query.
        query: Of the URL.
        body: Raw.
        actor: Who asks.
        named: The named parts of the path.
    """

    world: World
    bodies: Bodies
    deliveries: Deliveries
    method: str
    url: str
    query: Mapping[str, str]
    body: bytes
    actor: Actor
    named: dict[str, str] = field(default_factory=dict[str, str])

    def user(self) -> User:
        """The person or bot that asks.

        Raises:
            Refused: Nobody, or an App itself.
        """
        if self.actor.user is None:
            raise said(401, "Requires authentication")
        return self.actor.user

    def app(self) -> App:
        """The App that asks with a signed token.

        Raises:
            Refused: Somebody else.
        """
        if self.actor.app is None:
            raise said(401, "A JSON web token could not be decoded")
        return self.actor.app

    def project(self, permission: str = "metadata", level: int = 1) -> Project:
        """The repository of the path, where the actor may go that far.

        Raises:
            Refused: There is none, it has moved, or the actor may not.
        """
        if self.actor.app is not None:
            raise said(403, "Resource not accessible by integration")
        path = f"{self.named['owner']}/{self.named['repo']}"
        project = self.world.project_at(path)
        if project is None:
            raise self._moved(path)
        return self.allowed(project, permission, level)

    def allowed(self, project: Project, permission: str, level: int) -> Project:
        """The repository, where the actor may go that far; errors as above."""
        if self.world.level(project, self.actor, "metadata") < 1:
            raise said(404, "Not Found")
        if self.world.level(project, self.actor, permission) < level:
            if project.archived and level > 1:
                raise said(403, "Repository was archived so is read-only.")
            token = self.actor.token
            who = "integration" if token and token.installation else "personal access token"
            raise said(403, f"Resource not accessible by {who}")
        return project

    def _moved(self, path: str) -> Refused:
        project = self.world.moved_from(path)
        if project is None or self.world.level(project, self.actor, "metadata") < 1:
            return said(404, "Not Found")
        rest = self.url.split(f"/repos/{path}", 1)[1]
        place = f"{self.world.api}/repositories/{project.id}{rest}"
        status = 301 if self.method == "GET" else 307
        return Refused(status, {"message": "Moved Permanently", "url": place}, {"Location": place})

    def pull(self, project: Project) -> Pull:
        """The pull request of the path.

        Raises:
            Refused: There is none.
        """
        pull = project.pulls.get(self.number("number"))
        if pull is None:
            raise said(404, "Not Found")
        return pull

    def number(self, name: str) -> int:
        """A number in the path; 404 where it is none."""
        value = self.named[name]
        if not value.isdigit():
            raise said(404, "Not Found")
        return int(value)

    def commit(self, project: Project, sha: str) -> str:
        """A commit of the repository.

        Raises:
            Refused: There is none.
        """
        known = project.repository.commit_of(sha) if _SHA.fullmatch(sha) else None
        if known is None:
            raise said(422, f"No commit found for SHA: {sha}")
        return known

    def values(self) -> dict[str, Any]:
        """The JSON object that was sent.

        Raises:
            Refused: It is none.
        """
        try:
            values = json.loads(self.body or b"{}")
        except ValueError:
            raise said(400, "Problems parsing JSON") from None
        if not isinstance(values, dict):
            raise said(400, "Body should be a JSON object")
        return cast(dict[str, Any], values)

    def page(self, items: Sequence[Any], wrap: str = "") -> Answer:
        """One page of a list with the links to the others; `wrap` names it inside of an object."""
        size = min(_MOST, max(1, int(self.query.get("per_page", _PAGE))))
        page = max(1, int(self.query.get("page", 1)))
        part = list(items[(page - 1) * size : page * size])
        links: list[str] = []
        if page * size < len(items):
            links.append(self._link(page + 1, "next"))
        if page > 1:
            links.append(self._link(page - 1, "prev"))
        headers = {"Link": ", ".join(links)} if links else {}
        value = {"total_count": len(items), wrap: part} if wrap else part
        return Answer(value=value, headers=headers)

    def _link(self, page: int, relation: str) -> str:
        return f'<{self.url}?{urlencode({**self.query, "page": page})}>; rel="{relation}"'
