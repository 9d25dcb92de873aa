"""The tables. Times are UTC seconds since the epoch by the database's clock, ids are opaque strings.

Rows that steps work on carry `version`, `due_at`, `attempt`, `lease_owner` and `lease_until`; see
`leases`. JSON columns hold what `model.codec` makes of the frozen types.
"""

from typing import Any

from sqlalchemy import Column, Float, Index, LargeBinary, String, UniqueConstraint
from sqlmodel import Field, SQLModel

from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.store.acceptances import AcceptanceRow as AcceptanceRow
from reana_bridge.store.acceptances import AlarmRow as AlarmRow
from reana_bridge.store.columns import Json
from reana_bridge.store.columns import id_column as _id
from reana_bridge.store.columns import json_column as _json


def _due() -> Any:
    return Field(default=None, sa_type=Float, nullable=True)


class Leased(SQLModel):
    """What a row needs so that one worker at a time can take it.

    `due_at` None means: nothing to do until somebody sets it.
    """

    version: int = 0
    due_at: float | None = _due()
    attempt: int = 0
    lease_owner: str | None = None
    lease_until: float | None = None


class Delivery(Leased, table=True):
    """One webhook request, or one finding of our own (`kind` is then `synthetic`)."""

    __tablename__: Any = "deliveries"
    __table_args__ = (
        UniqueConstraint("forge", "key", name="one_delivery_a_key"),
        Index("deliveries_due", "due_at"),
        Index("deliveries_received", "received_at"),
    )

    id: str = _id()
    forge: str
    hook: str = ""
    kind: str = "webhook"
    key: str | None = None
    digest: str = ""
    received_at: float
    headers: Json | None = _json()
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    size: int = 0
    decided_at: float | None = None


class Decision(SQLModel, table=True):
    """What an event led to, with its reason; exactly one for each delivery."""

    __tablename__: Any = "decisions"
    __table_args__ = (
        UniqueConstraint("delivery_id", name="one_decision_a_delivery"),
        Index("decisions_of_commit", "project", "sha"),
    )

    id: str = _id()
    delivery_id: str = Field(foreign_key="deliveries.id")
    decided_at: float
    project: str = ""
    event: str
    ref: str = ""
    sha: str = ""
    actor: str = ""
    outcome: str
    reason: str
    analyses: Json | None = _json()


class ProjectRow(SQLModel, table=True):
    """What is remembered of a registered project beside its settings."""

    __tablename__: Any = "projects"

    name: str = Field(primary_key=True)
    default_branch: str = ""
    key_generation: int = 1
    public: bool = False
    seen_at: float
    forge_id: str = ""
    private: bool = True
    """Whether the forge keeps it from strangers."""


class MergeRequestRow(SQLModel, table=True):
    """What a delivery or the reconciler last told of a merge request; `ref` leads to its head."""

    __tablename__: Any = "merge_requests"
    __table_args__ = (
        Index("merge_requests_by_ref", "project", "ref"),
        Index("merge_requests_by_sha", "project", "sha"),
    )

    project: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    ref: str
    sha: str
    source_branch: str = ""
    source_project_id: str = ""
    target_branch: str = ""
    fork: bool = False
    draft: bool = False
    labels: Json | None = _json()
    open: bool = True
    author: str = ""
    seen_at: float


class Approval(SQLModel, table=True):
    """Somebody with rights let exactly this commit of a merge request run."""

    __tablename__: Any = "approvals"

    project: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    sha: str = Field(primary_key=True)
    approved_by: str
    approved_at: float


class Hook(SQLModel, table=True):
    """A hook that `connect` made on a forge; `id` is in its URL, its secret follows from the server's key."""

    __tablename__: Any = "hooks"
    __table_args__ = (UniqueConstraint("forge", "project", name="one_hook_a_project"),)

    id: str = _id()
    forge: str
    project: str
    project_id: str = ""
    remote_id: str = ""
    generation: int = 1
    signed: bool = False
    made_at: float
    rotated_at: float | None = None
    """Until an hour after this the secret of the generation before is good too."""
    looked_at: float | None = None
    problem: str = ""


class Upload(SQLModel, table=True):
    """A picture that lies on a forge already: `link` is what Markdown there names it by."""

    __tablename__: Any = "uploads"

    project: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    link: str
    uploaded_at: float


class Pause(SQLModel, table=True):
    """An administrator stopped work on a forge, a backend or a project; `reason` is shown to everyone."""

    __tablename__: Any = "pauses"

    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    reason: str
    paused_by: str = ""
    since: float


class RateLimit(SQLModel, table=True):
    """A forge that all replicas leave alone because of its rate limit: nothing is asked before `until`."""

    __tablename__: Any = "rate_limits"

    forge: str = Field(primary_key=True)
    until: float | None = None
    reason: str = ""
    seen_at: float


class Head(SQLModel, table=True):
    """The last commit of a branch or tag that a delivery or the reconciler has told of."""

    __tablename__: Any = "heads"

    project: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    sha: str
    seen_at: float


class Run(Leased, table=True):
    """One execution of an analysis at one commit with given parameters.

    `live_key` is set while the run is not final and unique, so that there is at most one live run for
    each (project, analysis, commit, parameters).
    """

    __tablename__: Any = "runs"
    __table_args__ = (
        Index("runs_state", "state", "due_at"),
        Index("runs_of_commit", "project", "sha", "analysis"),
        Index("runs_of_analysis", "project", "analysis", "queued_at"),
        Index("runs_by_end", "ended_at"),
    )

    id: str = _id()
    project: str
    analysis: str
    sha: str
    ref: str = ""
    target: str = ""
    proposal: bool = False
    parameters: Json | None = _json()
    parameters_digest: str = ""
    live_key: str | None = Field(default=None, unique=True)
    state: RunState = Field(default=RunState.QUEUED, sa_type=String(16))
    wanted: Wanted = Field(default=Wanted.RUN, sa_type=String(16))
    reason: str = ""
    trusted: bool = True
    approved_by: str = ""
    merge_request: int | None = None
    compare_again: bool = False
    keep_superseded: bool = False
    backend: str = ""
    backend_name: str = ""
    backend_id: str | None = None
    host: str = ""
    run_attempt: int = 1
    priority: int = 0
    settings: Json | None = _json()
    specification_digest: str = ""
    activity: str = ""
    steps: Json | None = _json()
    result: Json | None = _json()
    failure: Json | None = _json()
    problems: Json | None = _json()
    warnings: Json | None = _json()
    cancel_sent: bool = False
    delivery_id: str | None = None
    pushed_at: float | None = None
    queued_at: float
    started_at: float | None = None
    backend_ended_at: float | None = None
    ended_at: float | None = None
    removed_at: float | None = None


class Want(SQLModel, table=True):
    """Who wants a run: a branch, a merge request, a tag, a person, a schedule."""

    __tablename__: Any = "wants"
    __table_args__ = (
        UniqueConstraint("run_id", "kind", "ref", name="one_want_each"),
        Index("wants_of_ref", "project", "ref", "ended_at"),
    )

    id: str = _id()
    run_id: str = Field(foreign_key="runs.id")
    project: str
    kind: str
    ref: str
    since: float
    ended_at: float | None = None
    ended_reason: str = ""


class ComparisonRow(SQLModel, table=True):
    """A run's result against its baseline; `document` is a `model.comparisons.Comparison`."""

    __tablename__: Any = "comparisons"
    __table_args__ = (
        Index("comparisons_waiting", "waiting_for_run"),
        Index("comparisons_by_time", "made_at"),
    )

    id: str = _id()
    run_id: str = Field(foreign_key="runs.id", unique=True)
    baseline_run_id: str | None = None
    waiting_for_run: str | None = None
    rules_sha: str = ""
    blocked: bool = False
    made_at: float
    document: Json | None = _json()


class MetricRow(SQLModel, table=True):
    """One finite number that a run left, for histories."""

    __tablename__: Any = "metrics"

    run_id: str = Field(foreign_key="runs.id", primary_key=True)
    name: str = Field(primary_key=True)
    project: str
    analysis: str
    value: float
    uncertainty: float | None = None
    unit: str = ""


class ArtifactRow(SQLModel, table=True):
    """One file kept of a run.

    `kind` is `output`, `log` (then `path` is the step's log name), `picture` (one that its comparison made;
    then `path` is its digest with `.png`), `preview` (what was drawn of an output: the same, and for each
    output what it is), `pair` (what was made of it and another run: the same, below that run's id) or
    `arriving from <the backend's id>` (an output, until all of them have come).
    """

    __tablename__: Any = "artifacts"
    __table_args__ = (Index("artifacts_by_digest", "digest"),)

    run_id: str = Field(foreign_key="runs.id", primary_key=True)
    kind: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    digest: str
    size: int


class OutboxRow(Leased, table=True):
    """What a forge must be made to show: due while `wanted_version` is ahead of `posted_version`."""

    __tablename__: Any = "outbox"
    __table_args__ = (
        UniqueConstraint("project", "kind", "key", name="one_row_a_thing"),
        Index("outbox_due", "due_at"),
        Index("outbox_of_commit", "project", "sha"),
    )

    id: str = _id()
    project: str
    kind: str
    key: str
    sha: str
    wanted: Json | None = _json()
    wanted_version: int = 1
    wanted_at: float
    posted: Json | None = _json()
    posted_version: int = 0
    posted_at: float | None = None
    first_posted_at: float | None = None
    error: str = ""
    merge_request: int | None = None
    settled_at: float | None = None
    """Until when a call without an answer may still come to be; nothing is sent before."""
    remembered: Json | None = _json()
    """What the forge wants to be given with the next call for the same thing."""
    shadow: Json | None = _json()
    """What would have been written, were this not a rehearsal."""


class Token(SQLModel, table=True):
    """A bearer token, kept as a digest. `scopes` is a list of words, `project` a glob over project names."""

    __tablename__: Any = "tokens"

    id: str = _id()
    name: str
    digest: str = Field(unique=True)
    scopes: str
    project: str = "*"
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None


class Lock(SQLModel, table=True):
    """A named lease for what only one process does at a time, such as following a backend; or a `pace`."""

    __tablename__: Any = "locks"

    key: str = Field(primary_key=True)
    lease_owner: str | None = None
    lease_until: float | None = None


class Schedule(SQLModel, table=True):
    """When an analysis' schedules were last looked at."""

    __tablename__: Any = "schedules"

    project: str = Field(primary_key=True)
    looked_at: float
