"""A request to the REST API, its answer, and what all handlers share: rights, parameters, pages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode

from reana_bridge.testing.answering import Answer, Refused
from reana_bridge.testing.gitlab.delivering import Deliveries
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import Level, MergeRequest, Project, Token, User

PER_PAGE, MOST_PER_PAGE = 20, 100
_TRUE = {"true", "1", "t", "yes", "on"}


def not_found(what: str) -> Refused:
    """404, in GitLab's words."""
    return Refused(404, {"message": f"404 {what} Not Found"})


def forbidden(why: str = "") -> Refused:
    """403, in GitLab's words."""
    return Refused(403, {"message": "403 Forbidden" + (f" - {why}" if why else "")})


def invalid(name: str, *problems: str) -> Refused:
    """400 for a value that does not do, in GitLab's words."""
    return Refused(400, {"message": {name: list(problems)}})


@dataclass(kw_only=True)
class Call:
    """One authenticated request.

    Attributes:
        instance: The GitLab.
        deliveries: Its webhooks.
        method: Such as `POST`.
        path: Escaped, without the query.
        query: Pairs in order.
        headers: Names in lower case.
        body: Raw.
        named: The named segments of the route.
        token: That the request brought; None for nobody.
    """

    instance: Instance
    deliveries: Deliveries
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    named: dict[str, str] = field(default_factory=dict[str, str])
    token: Token | None = None
    _values: dict[str, Any] | None = None

    @property
    def user(self) -> User | None:
        """Who asks; None for nobody."""
        return self.token.user if self.token else None

    def who(self) -> User:
        """Who asks.

        Raises:
            Refused: Nobody does.
        """
        return self.own_token().user

    def own_token(self) -> Token:
        """The token that the request brought; errors as above."""
        if self.token is None:
            raise Refused(401, {"message": "401 Unauthorized"})
        return self.token

    # -- parameters --

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the query and the body together; the last of a name counts."""
        if self._values is None:
            self._values = dict(self.query) | self._of_body()
        return self._values

    def _of_body(self) -> dict[str, Any]:
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/json") and self.body:
            try:
                value = json.loads(self.body)
            except ValueError:
                raise Refused(400, {"error": "Problem while parsing request body"}) from None
            if not isinstance(value, dict):
                raise Refused(400, {"error": "The request body must be a JSON object"})
            return cast(dict[str, Any], value)
        if kind.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return {}

    def text(self, name: str, default: str | None = None) -> str | None:
        """A parameter as text; `default` where it was not sent."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            Refused: It is not.
        """
        value = self.text(name)
        if value is None:
            raise Refused(400, {"error": f"{name} is missing"})
        return value

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """A parameter that is true or false; `default` where it was not sent."""
        value = self.values.get(name)
        return default if value is None else str(value).lower() in _TRUE

    def number(self, name: str, default: int) -> int:
        """A parameter that is a whole number.

        Raises:
            Refused: It is none.
        """
        value = self.text(name)
        try:
            return default if value is None else int(value)
        except ValueError:
            raise Refused(400, {"error": f"{name} is invalid"}) from None

    def listed(self, name: str) -> list[str]:
        """A parameter that may come several times (`name[]=`) or as a list."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(one) for one in cast(list[Any], value)]
        several = [one for key, one in self.query if key == f"{name}[]"]
        return several or ([str(value)] if value is not None else [])

    # -- what it is about --

    def project(self, level: int = Level.NONE, *, changes: bool = False) -> Project:
        """The project of `:id`, for somebody with at least `level` there.

        Args:
            level: That the user must have.
            changes: Whether something is written, which an archived project refuses.

        Raises:
            Refused: There is none for this user, or the rights do not do.
        """
        found = self._project(self.named["id"])
        if self.instance.level(found, self.user) < level:
            raise Refused(401, {"message": "401 Unauthorized"}) if self.user is None else forbidden()
        if changes and found.archived:
            raise forbidden()
        return found

    def _project(self, name: str) -> Project:
        if name.isdigit():
            found = self.instance.projects.get(int(name))
        else:
            found = self.instance.project_at(name)
            moved = self.instance.moved_from(name) if found is None else None
            if moved is not None and self.instance.may_read(moved, self.user):
                self._redirect(name, moved)
        if found is None or not self.instance.may_read(found, self.user):
            raise not_found("Project")
        return found

    def _redirect(self, name: str, moved: Project) -> None:
        if self.method not in {"GET", "HEAD"}:
            raise Refused(405, {"message": "Non GET methods are not allowed for moved projects"})
        path = self.path.replace(quote(name, safe=""), str(moved.id), 1)
        query = f"?{urlencode(self.query)}" if self.query else ""
        location = f"{self.instance.url}{path}{query}"
        raise Refused(301, {"message": "This resource has been moved permanently"}, {"Location": location})

    def readable(self, *, changes: bool = False) -> Project:
        """The project of `:id`, for somebody who may see its code and merge requests."""
        found = self.project(changes=changes)
        if not self.instance.may_read_code(found, self.user):
            raise forbidden()
        return found

    def merge_request(self, *, changes: bool = False) -> tuple[Project, MergeRequest]:
        """The merge request of `:iid` and its project."""
        project = self.readable(changes=changes)
        number = self.named["iid"]
        found = project.merge_requests.get(int(number)) if number.isdigit() else None
        if found is None:
            raise not_found("Merge Request") if changes else Refused(404, {"message": "404 Not found"})
        return project, found

    def page(self, values: Sequence[Any]) -> Answer:
        """The asked page of `values`, with the headers of a page."""
        size = min(MOST_PER_PAGE, max(1, self.number("per_page", PER_PAGE)))
        number = max(1, self.number("page", 1))
        pages = max(1, -(-len(values) // size))
        headers = {
            "X-Page": str(number),
            "X-Per-Page": str(size),
            "X-Total": str(len(values)),
            "X-Total-Pages": str(pages),
            "X-Next-Page": str(number + 1) if number < pages else "",
            "X-Prev-Page": str(number - 1) if number > 1 else "",
            "Link": self._links(number, size, pages),
        }
        return Answer(value=list(values[(number - 1) * size : number * size]), headers=headers)

    def _links(self, number: int, size: int, pages: int) -> str:
        wanted = {"prev": number - 1, "next": number + 1, "first": 1, "last": pages}
        rest = [(key, value) for key, value in self.query if key not in {"page", "per_page"}]
        return ", ".join(
            f"<{self.instance.url}{self.path}?"
            f'{urlencode([*rest, ("page", str(page)), ("per_page", str(size))])}>; rel="{name}"'
            for name, page in wanted.items()
            if 1 <= page <= pages
        )
