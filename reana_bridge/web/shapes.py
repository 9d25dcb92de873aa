"""What the API answers with: one model a thing. Times are UTC ISO 8601 texts, ids are opaque texts."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str | None, Field(examples=["2026-11-22T14:05:00.120Z"])]
Id = Annotated[str, Field(examples=["01kb3m9xq2t7n5v0h8c4d6e1fg"])]
Sha = Annotated[str, Field(examples=["3f9c2a17c0b5d1e84a6f2b90d7c3e5a1f8b4d602"])]
ProjectName = Annotated[str, Field(examples=["gitlab-cern:atlas/ttbar"])]
Value = float | int | str | bool | None


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProblemShape(_Shape):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request: str = Field(description="The request's id, as the server's log has it.")


class DeliveryShape(_Shape):
    """One webhook request; its body is not shown."""

    id: Id
    forge: str
    hook: str
    kind: str = Field(description="`webhook`, or `synthetic` for what reconciliation found.")
    received_at: Time
    decided_at: Time
    size: int = Field(description="Bytes of its body.")
    attempt: int


class DecisionShape(_Shape):
    """What a delivery led to, and why."""

    id: Id
    delivery_id: Id
    decided_at: Time
    project: ProjectName
    event: str
    ref: str
    sha: str
    actor: str
    outcome: str
    reason: str
    analyses: Any = Field(description="What was decided for each analysis.")


class ProjectShape(_Shape):
    """A registered project."""

    name: ProjectName
    default_branch: str
    public: bool
    paused: str
    seen_at: Time
    url: str


class AnalysisShape(_Shape):
    """A named workflow of a project, with its newest run."""

    project: ProjectName
    name: str
    latest_run: Id
    latest_state: str
    latest_sha: Sha
    latest_queued_at: Time


class StepShape(_Shape):
    """One step of a workflow."""

    name: str
    state: str
    started_at: Time
    ended_at: Time
    exit_status: int | None
    command: str
    image: str
    environment: str
    log: str = Field(description="Ask for its log by this name.")


class FailureShape(_Shape):
    """Why a run failed."""

    kind: str
    message: str
    step: str
    hint: str


class RunShape(_Shape):
    """One execution of an analysis at one commit."""

    id: Id
    project: ProjectName
    analysis: str
    sha: Sha
    ref: str
    target: str
    proposal: bool
    state: str
    wanted: str
    reason: str
    activity: str
    backend: str
    attempt: int
    parameters: dict[str, Any]
    delivery_id: str | None
    pushed_at: Time
    queued_at: Time
    started_at: Time
    ended_at: Time
    url: str
    merge_request: int | None = Field(description="The merge request that it was begun for.")
    trusted: bool = Field(description="False for code of somebody without rights on the project.")
    approved_by: str = Field(description="Who let it run, where it needed an approval.")


class RunDetail(RunShape):
    """A run with everything but its metrics, logs and files."""

    steps: list[StepShape]
    failure: FailureShape | None
    problems: list[str]
    warnings: list[str]
    environment: dict[str, str]
    wanted_by: list[str]


class PartShape(_Shape):
    """One source of an uncertainty, up and down."""

    name: str
    up: float | None
    down: float | None


class MetricShape(_Shape):
    """A named value."""

    name: str
    value: Value = Field(description="Null where it is no finite number; `shown` says which.")
    shown: str = Field(description="As people read it.", examples=["4.98 \u00b1 0.13"])
    unit: str
    uncertainty: float | None = Field(description="One standard deviation; the larger side.")
    up: float | None = Field(description="The side towards higher values, where asymmetric.")
    down: float | None = Field(description="The side towards lower values, where asymmetric.")
    parts: list[PartShape] = Field(description="The sources of the uncertainty, where told apart.")
    direction: str
    target: float | None
    description: str
    source: str


class ArtifactShape(_Shape):
    """One kept file of a run."""

    path: str
    size: int
    digest: str = Field(description="SHA-256 of the content.")
    url: str


class LogShape(_Shape):
    """A piece of a step's log."""

    step: str
    offset: int
    next_offset: int = Field(description="Ask again from here for what follows.")
    complete: bool = Field(description="Whether nothing follows, and nothing will.")
    text: str


class ResultShape(_Shape):
    """What a run left."""

    run_id: Id
    project: ProjectName
    analysis: str
    sha: Sha
    ended_at: Time
    metrics: list[MetricShape]
    artifact_count: int
    skipped: list[str]
    environment: dict[str, str]


class BaselineShape(_Shape):
    """The run that a result is compared with."""

    run_id: Id
    sha: Sha
    branch: str
    reason: str
    distance: int
    ahead: int | None
    ended_at: Time


class TestShape(_Shape):
    """A statistical test, with what is needed to make it again."""

    name: str
    version: int
    statistic: float | None
    p_value: float | None
    limit: float | None
    sample: list[float | None]
    correlation: float | None
    significant: bool | None = Field(description="Null where it could not be judged.")
    explanation: str


class RuleShape(_Shape):
    """What a rule says of one metric."""

    rule: str
    effect: str
    broken: bool | None
    explanation: str
    proposed: bool
    accepted_by: str = Field(description="Who said that it is expected; empty where nobody did.")
    accepted_reason: str
    test: TestShape | None


class MetricComparisonShape(_Shape):
    """One metric of the baseline and of this commit."""

    name: str
    verdict: str
    explanation: str
    baseline: MetricShape | None
    head: MetricShape | None
    difference: float | None
    relative: float | None
    sigmas: float | None
    rules: list[RuleShape]
    test: TestShape | None
    pictures: list["PictureShape"] = Field(description="Of its series.")


class PictureShape(_Shape):
    """A picture that was drawn."""

    shows: str = Field(description="`baseline`, `head`, `difference` or `overlay`.")
    title: str = Field(description="What it shows, for those who do not see it.")
    url: str


class ContentShape(_Shape):
    """What is in a file that stands alone in a comparison: pages, histograms."""

    pictures: list[PictureShape]
    cut: str = Field(description="What was not drawn; empty for nothing.")
    problem: str = Field(description="Why nothing was drawn; empty for no such reason.")


class FilePartShape(_Shape):
    """One part of a compared file."""

    name: str
    verdict: str
    explanation: str
    figures: dict[str, float | int | str | None]
    pictures: list[PictureShape]


class CheckShape(_Shape):
    """One check of the analysis, before and now."""

    name: str
    source: str
    baseline: str | None
    head: str | None
    message: str


class FileComparisonShape(_Shape):
    """One artifact of the baseline and of this commit."""

    path: str
    verdict: str
    baseline_digest: str
    head_digest: str
    kind: str = Field(description="What it was compared as; empty for bare bytes.")
    explanation: str
    figures: dict[str, float | int | str | None]
    parts: list[FilePartShape]
    rules: list[RuleShape]
    pictures: list[PictureShape]


class ComparisonSummary(_Shape):
    """A run's result against its baseline, without the rows."""

    id: Id
    run_id: Id
    baseline_run_id: str | None
    blocked: bool
    interim: bool
    made_at: Time
    no_baseline: str
    verdicts: dict[str, int]
    url: str


class ComparisonShape(ComparisonSummary):
    """A run's result against its baseline, metric by metric and file by file."""

    baseline: BaselineShape | None
    metrics: list[MetricComparisonShape]
    files: list[FileComparisonShape]
    contents: dict[str, ContentShape] = Field(description="By path, what stands alone and was drawn.")
    checks: list[CheckShape]
    drift: list[str]
    tests: int = Field(description="How many statistical tests were made.")
    false_discovery: float


class OutboxShape(_Shape):
    """What a forge must be made to show."""

    id: Id
    project: ProjectName
    kind: str
    sha: Sha
    state: str
    description: str
    wanted_version: int
    posted_version: int
    wanted_at: Time
    posted_at: Time
    due_at: Time
    attempt: int
    error: str
    merge_request: int | None = Field(description="Where it is shown; null for the commit itself.")
    shadow: Any = Field(description="In a rehearsal: what would have been written.")


class PauseShape(_Shape):
    """Work that an administrator stopped."""

    kind: str = Field(description="`forge`, `backend` or `project`.")
    name: str
    reason: str
    paused_by: str
    since: Time


class Resumed(_Shape):
    """Whether it was paused."""

    resumed: bool


class Started(_Shape):
    """The runs that now are."""

    runs: list[Id] = Field(description="Empty while it is being decided.")
    delivery: str | None = Field(description="The order's delivery, where it is still being decided.")


class Cancelled(_Shape):
    """Whether the run was still live; it ends soon then."""

    cancelled: bool
