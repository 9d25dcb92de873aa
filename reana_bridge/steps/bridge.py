"""What every step has at hand: settings, the database, kept files, forges and backends."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from reana_bridge.backends.base import Backend
from reana_bridge.forges.base import Forge
from reana_bridge.forges.hosted import is_hosted
from reana_bridge.model.projects import Project
from reana_bridge.results.isolation import IsolationLimits
from reana_bridge.settings import Settings, SettingsError, server_key
from reana_bridge.steps.comparing.limits import isolation_of
from reana_bridge.store.blobs import Blobs
from reana_bridge.store.database import Database
from reana_bridge.store.hooks import KnownHooks
from reana_bridge.store.inbox import Inbox
from reana_bridge.store.pace import SharedPace
from reana_bridge.store.tables import ProjectRow
from reana_bridge.store.tokens import link_key


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """Everything that the steps share. Made once a process by `open_bridge`."""

    settings: Settings
    database: Database
    inbox: Inbox
    blobs: Blobs
    forges: Mapping[str, Forge]
    backends: Mapping[str, Backend]
    server_key: bytes

    @property
    def host(self) -> str:
        """This host's name; local runs belong to it."""
        return self.settings.server.name

    @property
    def isolation(self) -> IsolationLimits:
        """What the process may use in which files of a run are opened."""
        return isolation_of(self.settings.limits)

    @cached_property
    def hooks(self) -> KnownHooks:
        """The hooks that `connect` made, as the door needs them."""
        return KnownHooks(self.database)

    @property
    def address(self) -> str:
        """The server's public address without a slash at the end; empty without a server."""
        return self.settings.server.public_url.rstrip("/")

    def is_hosted(self, project: str) -> bool:
        """Whether the forge of `project` (`forge:path`) has merge requests of its own."""
        forge = self.forges.get(project.partition(":")[0])
        return forge is not None and is_hosted(forge)

    def cache(self, project: Project) -> Path:
        """The bare repository on this host with the project's fetched commits."""
        digest = hashlib.sha256(str(project).encode()).hexdigest()[:16]
        readable = project.path.replace("/", "-")[:80]
        return self.settings.storage.repositories / f"{readable}-{digest}.git"

    def run_url(self, project: ProjectRow | None, run_id: str) -> str:
        """The address of a run's page, with its read-only key unless public; empty without a server."""
        if not self.settings.server.public_url:
            return ""
        url = f"{self.address}/runs/{run_id}"
        if project is None or project.public:
            return url
        return f"{url}?key={link_key(self.server_key, project, run_id)}"

    def close(self) -> None:
        """Give everything back."""
        self.inbox.stop()
        for backend in self.backends.values():
            getattr(backend, "close", lambda: None)()
        self.database.close()


def open_bridge(settings: Settings, *, exclusive: bool) -> Bridge:
    """The bridge that `settings` describe.

    Args:
        settings: As loaded.
        exclusive: Whether this process serves (then a SQLite database is its alone).

    Raises:
        SettingsError: A forge or backend is of no known kind, or its own settings are wrong.
        DatabaseUnusable: Another process serves this SQLite database.
    """
    database = Database(settings.database.url, exclusive=exclusive)
    backends = {
        name: _kind("backends", entry.kind)(name, entry, settings)
        for name, entry in settings.backends.items()
    }
    for name, backend in backends.items():
        if hasattr(backend, "share") and not database.is_sqlite:
            backend.share(SharedPace(database, name))
    return Bridge(
        settings=settings,
        database=database,
        inbox=Inbox(database, limit=settings.server.inbox_limit),
        blobs=Blobs(settings.storage.artifacts),
        forges={
            name: _kind("forges", entry.kind)(name, entry, settings)
            for name, entry in settings.forges.items()
        },
        backends=backends,
        server_key=server_key(settings.storage.secrets),
    )


def _kind(room: str, kind: str) -> Any:
    known = _kinds(room)
    if kind not in known:
        raise SettingsError(f"{room}: {kind!r} is no kind of its; write one of {', '.join(sorted(known))}")
    return known[kind].load()


@cache
def _kinds(room: str) -> Mapping[str, EntryPoint]:
    """What is installed, by its name; looking through it takes a while."""
    return {point.name: point for point in entry_points(group=f"reana_bridge.{room}")}
