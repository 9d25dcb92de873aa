"""What an API of a fake is made of: routes, the answers of their handlers, and refusals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

CallT = TypeVar("CallT")
RouteT = TypeVar("RouteT", bound="Route[Any]")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: `value` becomes JSON unless it is bytes; None is an empty body."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Refused(Exception):
    """The request is answered with an error.

    Attributes:
        status: Of the answer.
        payload: Its JSON, as the real server writes it.
        headers: Of the answer.
    """

    def __init__(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {payload}")
        self.status = status
        self.payload = payload
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The error that is answered."""
        return Answer(status=self.status, value=self.payload, headers=self.headers)


@dataclass(frozen=True, kw_only=True)
class Route(Generic[CallT]):
    """A method and a path below the API's address; `run` answers a call.

    In the path `:name` matches one segment (which may hold escaped slashes), `*name` all that are left.
    `locked` routes run while nothing else does.
    """

    method: str
    path: str
    run: Callable[[CallT], Answer]
    locked: bool = True

    def match(self, method: str, segments: Sequence[str]) -> dict[str, str] | None:
        """The named segments where the request is for this route; None where it is not."""
        pattern = self.path.strip("/").split("/")
        rest = pattern[-1].startswith("*")
        if method != self.method or len(segments) < len(pattern):
            return None
        if not rest and len(segments) != len(pattern):
            return None
        named: dict[str, str] = {}
        for place, part in enumerate(pattern):
            if part.startswith("*"):
                named[part[1:]] = "/".join(segments[place:])
            elif part.startswith(":"):
                named[part[1:]] = segments[place]
            elif part != segments[place]:
                return None
        return named

    def answer(self, call: CallT, lock: AbstractContextManager[Any]) -> Answer:
        """The handler's answer, under the lock where it wants that."""
        if not self.locked:
            return self.run(call)
        with lock:
            return self.run(call)


def find_route(
    routes: Iterable[RouteT], method: str, segments: Sequence[str]
) -> tuple[RouteT, dict[str, str]] | None:
    """The first route that fits, with its named segments; None where none does."""
    for route in routes:
        named = route.match(method, segments)
        if named is not None:
            return route, named
    return None
