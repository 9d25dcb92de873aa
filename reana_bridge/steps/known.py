"""What is remembered of a project: its row, and what a forge is told of it before it is asked."""

from typing import Any

from sqlalchemy.orm import Session

from reana_bridge.forges.base import Forge
from reana_bridge.forges.hosted import is_hosted
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import ProjectRow
from reana_bridge.store.upsert import upsert


def remember_project(
    bridge: Bridge, session: Session, project: Project, *, public: bool, seen_at: float, **values: Any
) -> None:
    """Write down what is known of the project now.

    Args:
        bridge: The database.
        session: A write transaction.
        project: Which.
        public: Whether the settings let everybody see it.
        seen_at: UTC seconds since the epoch.
        values: Other columns that are known; of a row that is there already the rest stays.
    """
    values |= {"public": public, "seen_at": seen_at}
    fresh = {"name": str(project), "default_branch": "", "key_generation": 1, **values}
    upsert(bridge.database, session, ProjectRow, fresh, key=["name"], change=list(values))


def tell_id(bridge: Bridge, forge: Forge, project: Project) -> None:
    """Tell the forge its own id of the project where we know it, so that a renaming leads nowhere else."""
    if is_hosted(forge):
        with bridge.database.read() as session:
            row = session.get(ProjectRow, str(project))
        if row is not None and row.forge_id:
            forge.remember(project, row.forge_id)
