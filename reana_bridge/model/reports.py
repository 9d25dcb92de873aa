"""A report: what a comparison or a failure says, as values; everything shown is rendered from it."""

from dataclasses import dataclass, field

from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.metrics import Metric
from reana_bridge.model.problems import Problem
from reana_bridge.model.results import Failure, Result, StepRecord
from reana_bridge.model.runs import RunState


@dataclass(frozen=True, kw_only=True)
class OwnText:
    """What the analysis itself wrote for the report, in Markdown; shown sanitised.

    Attributes:
        path: The artifact that it stands in, relative to the workspace; its links are relative to that.
        text: At most `limits.own_text` bytes of it.
        cut: Whether there is more.
    """

    path: str
    text: str
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one analysis' section of a note, its status, page and terminal output say.

    Attributes:
        project: `forge:path`.
        analysis: The analysis' name; the status context is `reana/<analysis>`.
        run_id: The run; empty when none was made (a configuration error).
        run_url: Its page, with the read-only key where the project is private; empty without a server.
        sha: The commit.
        label: What it is called where there is no commit, such as a folder's name; empty for a working tree.
        comparison_url: The page of its comparison; empty without a server.
        branch: The branch or tag it was run for; empty where unknown.
        state: Where the run stands.
        reason: Why it waits or was cancelled; empty else.
        steps: The steps so far.
        result: What it left; None before that.
        comparison: None before it was compared.
        failure: None unless it failed.
        problems: Mistakes in the configuration (errors when it could not run, warnings beside a result).
        warnings: What the reader should know of how it ran: `step fit ran without its container image`.
        attempt: Counted from 1.
        parameters: Only those given for this run, name -> value.
        backend: Where it ran.
        queued_at: UTC seconds since the epoch.
        started_at: UTC seconds since the epoch; None before the start.
        ended_at: UTC seconds since the epoch; None before the end.
        artifact_urls: Artifact path -> URL of its content; empty without a server.
        file_urls: Artifact path -> URL of the page that shows it; empty without a server.
        baseline_file_urls: The baseline's, path -> URL of the page.
        picture_links: Artifact path -> link to embed, where the forge itself keeps a copy of the picture.
        baseline_picture_links: The baseline's, path -> link.
        drawn_urls: SHA-256 of a picture that was drawn of a file -> URL; empty without a server.
        drawn_links: The same -> link to embed, where the forge itself keeps a copy.
        own_text: What the analysis itself says; None where it left nothing of that kind.
        merge_request: The number of the merge request that it was run for; None for none.
        approved_by: Who let it run, where it needed an approval.
        changes_url: The forge's page of what the merge request changes; empty where unknown.
    """

    project: str
    analysis: str
    sha: str
    state: RunState
    run_id: str = ""
    run_url: str = ""
    label: str = ""
    comparison_url: str = ""
    branch: str = ""
    reason: str = ""
    steps: tuple[StepRecord, ...] = ()
    result: Result | None = None
    comparison: Comparison | None = None
    failure: Failure | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    attempt: int = 1
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    backend: str = ""
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    artifact_urls: dict[str, str] = field(default_factory=dict[str, str])
    file_urls: dict[str, str] = field(default_factory=dict[str, str])
    baseline_file_urls: dict[str, str] = field(default_factory=dict[str, str])
    picture_links: dict[str, str] = field(default_factory=dict[str, str])
    baseline_picture_links: dict[str, str] = field(default_factory=dict[str, str])
    drawn_urls: dict[str, str] = field(default_factory=dict[str, str])
    drawn_links: dict[str, str] = field(default_factory=dict[str, str])
    own_text: OwnText | None = None
    merge_request: int | None = None
    approved_by: str = ""
    changes_url: str = ""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that the run left; empty before that."""
        return self.result.metrics if self.result else ()


@dataclass(frozen=True, kw_only=True)
class NoteContent:
    """What the one note of a merge request says.

    Attributes:
        project: `forge:path`.
        number: The merge request's.
        sha: Its head; every report of `reports` is of it.
        reports: One an analysis, sorted by name; empty where nothing runs.
        superseded: The newest ended reports of earlier heads, for analyses whose report of the head has not
            ended; shown folded.
        skipped: Why nothing runs at the head; empty where something does.
        pauses: Why work on the forge, a backend or the project is stopped, as the administrator wrote it.
        commands: Whether people can answer with commands.
        default_branch: For commands that are ready to paste.
    """

    project: str
    number: int
    sha: str
    reports: tuple[Report, ...] = ()
    superseded: tuple[Report, ...] = ()
    skipped: str = ""
    pauses: tuple[str, ...] = ()
    commands: bool = True
    default_branch: str = ""
