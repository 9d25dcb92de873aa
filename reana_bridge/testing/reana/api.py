"""A request to the REST API, its answer, and what all handlers share: who asks, about what, which page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from reana_bridge.testing import answering
from reana_bridge.testing.reana.things import TIME_FORMAT, User, Workflow
from reana_bridge.testing.reana.world import World

UNKNOWN = (
    "REANA_WORKON is set to {}, but that workflow does not exist. Please set your REANA_WORKON environment "
    "variable appropriately."
)
"""What REANA says to an unknown identity or name, word for word."""

_UNITS = ("Bytes", "KiB", "MiB", "GiB", "TiB")


class Refused(answering.Refused):
    """The request is answered with an error, and a message as REANA writes it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, {"message": message}, headers)

    def answer(self) -> "Answer":
        """The error, of the kind that all handlers answer with."""
        return Answer(status=self.status, value=self.payload, headers=self.headers)


@dataclass(frozen=True, kw_only=True)
class Answer(answering.Answer):
    """An answer; a `file` is streamed without telling its size."""

    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Route(answering.Route["Call"]):
    """A method and a path below `/api`; `open` routes need no token."""

    open: bool = False


@dataclass(kw_only=True)
class Call:
    """One request.

    Attributes:
        world: The REANA.
        method: Such as `POST`.
        path: Escaped, without the query.
        query: Pairs in order, the token left out.
        headers: Names in lower case.
        body: Raw.
        named: The named segments of the route.
        user: Who asks; None for nobody.
    """

    world: World
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    named: dict[str, str] = field(default_factory=dict[str, str])
    user: User | None = None

    @property
    def who(self) -> User:
        """Who asks; only for routes that are not open."""
        assert self.user is not None  # noqa: S101 - the application lets nobody else in
        return self.user

    # -- parameters --

    def text(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return next((value for key, value in reversed(self.query) if key == name), default)

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            Refused: It is not.
        """
        value = self.text(name)
        if not value:
            raise Refused(400, f"Field '{name}': Missing data for required field.")
        return value

    def listed(self, name: str) -> list[str]:
        """A parameter that may come several times."""
        return [value for key, value in self.query if key == name]

    def flag(self, name: str) -> bool:
        """A parameter that is true or false.

        Raises:
            Refused: It is neither.
        """
        value = self.text(name, "false").lower()
        if value not in {"true", "false", "1", "0"}:
            raise Refused(400, f"Field '{name}': Not a valid boolean.")
        return value in {"true", "1"}

    def number(self, name: str) -> int | None:
        """A parameter that is a whole number of at least 1; None where it was not sent.

        Raises:
            Refused: It is none.
        """
        value = self.text(name)
        if not value:
            return None
        try:
            found = int(value)
        except ValueError:
            raise Refused(400, f"Field '{name}': Not a valid integer.") from None
        if found < 1:
            raise Refused(400, f"Field '{name}': Must be at least 1.")
        return found

    def json(self) -> Any:
        """The body's JSON; None where there is no JSON.

        Raises:
            Refused: It cannot be read.
        """
        if "json" not in self.headers.get("content-type", "") or not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refused(400, "Your request contains not valid JSON.") from None

    def fields(self, *known: str) -> dict[str, Any]:
        """The body as an object with no other keys than these.

        Raises:
            Refused: It is something else.
        """
        value: Any = self.json()
        value = {} if value is None else value
        if not isinstance(value, dict):
            raise Refused(400, "Malformed request.")
        given = cast(dict[str, Any], value)
        for name in given:
            if name not in known:
                raise Refused(400, f"Field '{name}': Unknown field.")
        return given

    # -- what it is about --

    def workflow(self, *, unknown: int = 404) -> Workflow:
        """The workflow that the path names.

        Args:
            unknown: Status of the answer where there is none; REANA is not of one mind.

        Raises:
            Refused: There is none for this user.
        """
        name = self.named["id"]
        found = self.world.find(self.who, name)
        if found is None:
            raise Refused(unknown, UNKNOWN.format(name))
        return found

    def page(self, values: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The asked part of `values` (all where no page is asked for), and what is said about it."""
        number, size = self.number("page") or 1, self.number("size")
        total = len(values)
        if size is None:
            return list(values), {"total": total, "page": 1, "has_next": False, "has_prev": False}
        part = list(values[(number - 1) * size : number * size])
        following = number * size < total
        links = {"self": self._link(number, size)}
        links |= {"prev": self._link(number - 1, size)} if number > 1 else {}
        links |= {"next": self._link(number + 1, size)} if following else {}
        told = {"total": total, "page": number, "size": size, "has_next": following, "has_prev": number > 1}
        return part, told | {"links": links}

    def _link(self, page: int, size: int) -> str:
        rest = [(key, value) for key, value in self.query if key not in {"page", "size"}]
        return f"{self.path}?{urlencode([*rest, ('page', str(page)), ('size', str(size))], quote_via=quote)}"


def moment(seconds: float | None) -> str | None:
    """A time as REANA writes it: UTC, without saying so."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime(TIME_FORMAT)


def amount(size: int) -> dict[str, Any]:
    """A number of bytes as REANA writes it."""
    left, unit = float(size), 0
    while left >= 1024 and unit < len(_UNITS) - 1:
        left, unit = left / 1024, unit + 1
    text = f"{left:.2f}".rstrip("0").rstrip(".")
    return {"raw": size, "human_readable": f"{text} {_UNITS[unit]}"}


def searched(call: Call) -> dict[str, list[str]]:
    """The words of `search`, a JSON object of lists, in lower case.

    Raises:
        Refused: It is something else.
    """
    text = call.text("search")
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        raise Refused(400, "Malformed request.") from None
    if not isinstance(value, dict):
        raise Refused(400, "Malformed request.")
    found = cast(dict[str, Any], value)
    lists = {key: cast(list[Any], one) for key, one in found.items() if isinstance(one, list)}
    return {key: [str(word).lower() for word in words] for key, words in lists.items()}
