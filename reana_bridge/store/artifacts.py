"""Rows of the files that are kept of runs."""

from sqlalchemy.orm import Session

from reana_bridge.model.results import Artifact
from reana_bridge.store.database import Database
from reana_bridge.store.tables import ArtifactRow
from reana_bridge.store.upsert import upsert


def artifact_row(run_id: str, kind: str, artifact: Artifact) -> ArtifactRow:
    """The row of a file that is not known of the run yet; for `kind` see `ArtifactRow`."""
    return ArtifactRow(
        run_id=run_id, kind=kind, path=artifact.path, digest=artifact.digest, size=artifact.size
    )


def put_artifact(database: Database, session: Session, run_id: str, kind: str, artifact: Artifact) -> None:
    """Write the row of a file, in the place of what the run has of that kind and path.

    Args:
        database: Whose session it is.
        session: A write transaction.
        run_id: The run's id.
        kind: As `ArtifactRow` has it.
        artifact: The file.
    """
    values = artifact_row(run_id, kind, artifact).model_dump()
    key, change = ("run_id", "kind", "path"), ("digest", "size")
    upsert(database, session, ArtifactRow, values, key=key, change=change)
