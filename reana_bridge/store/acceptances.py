"""The tables of what rules raise, and of what people accept of it."""

from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from reana_bridge.store.columns import Json, id_column, json_column


class AcceptanceRow(SQLModel, table=True):
    """Somebody's word that a metric's difference is expected, said once by one command of a comment.

    `value` and `baseline` are as `model.codec` makes them. `merged_sha` is the commit of the target branch
    that brought the change there; empty until the merge request is merged.
    """

    __tablename__: Any = "acceptances"
    __table_args__ = (
        UniqueConstraint("project", "merge_request", "comment", "place", name="one_acceptance_a_command"),
        Index("acceptances_of_analysis", "project", "analysis", "merged_sha"),
    )

    id: str = id_column()
    project: str
    analysis: str
    merge_request: int
    metric: str
    value: Json | None = json_column()
    baseline: Json | None = json_column()
    reason: str
    accepted_by: str
    accepted_at: float
    sha: str
    run_id: str = Field(foreign_key="runs.id")
    comment: str
    place: int = 0
    merged_sha: str = ""


class AlarmRow(SQLModel, table=True):
    """A rule that a run broke; written anew with each comparison of the run.

    `accepted_in` is the merge request in which somebody accepted it.
    """

    __tablename__: Any = "alarms"

    run_id: str = Field(foreign_key="runs.id", primary_key=True)
    place: int = Field(primary_key=True)
    metric: str
    pattern: str
    rule: str
    effect: str
    accepted: bool = False
    accepted_in: int | None = None
