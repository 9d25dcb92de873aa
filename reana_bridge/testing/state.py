"""What every fake knows, and every fake forge beside it. Everything is done under `lock`."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from reana_bridge.testing.requests import Request

Build = Callable[[], dict[str, Any]]
"""Makes the body of a webhook when it is sent."""


class Placed(Protocol):
    """What has a path, and had others before."""

    @property
    def path(self) -> str:
        """Its path now, such as `atlas/ttbar`."""
        ...

    @property
    def old_paths(self) -> Collection[str]:
        """Those that lead to it still."""
        ...


ProjectT = TypeVar("ProjectT", bound=Placed)


@dataclass(eq=False, kw_only=True)
class State:
    """What every server knows.

    Attributes:
        directory: Holds its files.
        clock: UTC seconds since the epoch.
        url: Its address; known once it listens.
        requests: What was asked of it, oldest first.
    """

    directory: Path
    clock: Callable[[], float]
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    requests: list[Request] = field(default_factory=list[Request])


@dataclass(eq=False, kw_only=True)
class ForgeState(State, Generic[ProjectT]):
    """What a forge knows of its projects.

    Attributes:
        projects: By number.
        fire: Called with (project, event, build) when a project's hooks are due.
    """

    projects: dict[int, ProjectT] = field(default_factory=dict[int, ProjectT])
    fire: Callable[[ProjectT, str, Build], None] = field(default=lambda project, event, build: None)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def new_id(self) -> int:
        """A number that nothing else has."""
        return next(self._ids)

    def project_at(self, path: str) -> ProjectT | None:
        """The project that has this path now."""
        return next((one for one in self.projects.values() if one.path.lower() == path.lower()), None)

    def moved_from(self, path: str) -> ProjectT | None:
        """The project that had this path before."""
        lowered = path.lower()
        found = (one for one in self.projects.values() if lowered in {old.lower() for old in one.old_paths})
        return next(found, None)
