"""Outputs that have come already, so that collecting goes on where it broke off.

An ended run changes nothing more: what has come with the size that the backend tells has come for good.
"""

from typing import Any, cast

from sqlalchemy import select

from reana_bridge.model.results import Artifact
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.artifacts import put_artifact
from reana_bridge.store.tables import ArtifactRow, Run

SMALLEST = 2**20
"""Bytes from which on a file is written down: a smaller one is fetched again as quickly."""

_artifact = cast(Any, ArtifactRow)


class Arriving:
    """The outputs of one attempt of a run; the rows go when the run's result is stored.

    Args:
        bridge: Database and kept files.
        run: The run, of which this is the present attempt.
    """

    def __init__(self, bridge: Bridge, run: Run) -> None:
        self._bridge = bridge
        self._run = run.id
        self._kind = f"arriving from {run.backend_id}"
        rows = select(ArtifactRow).where(_artifact.run_id == run.id, _artifact.kind == self._kind)
        with bridge.database.read() as session:
            self._there = {row.path: row for row in session.execute(rows).scalars()}

    def find(self, path: str, size: int) -> Artifact | None:
        """The file of `size` bytes at `path`, where it has come already and is still kept."""
        row = self._there.get(path)
        if row is None or row.size != size:
            return None
        try:
            self._bridge.blobs.path(row.digest)
        except FileNotFoundError:
            return None
        return Artifact(path=path, digest=row.digest, size=size)

    def add(self, artifact: Artifact) -> None:
        """Write down a file that has come."""
        if artifact.size < SMALLEST:
            return
        with self._bridge.database.transaction() as session:
            put_artifact(self._bridge.database, session, self._run, self._kind, artifact)
