"""The shape of `.reana-bridge.yaml`, one model a section: the source of checks, JSON Schema and reference.

Every key has a description here and nowhere else. Keys are written with `-` in the file.
"""

from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from reana_bridge.model.bridge_baseline import Baseline
from reana_bridge.model.bridge_files import FileSection
from reana_bridge.model.bridge_metrics import MetricsSection
from reana_bridge.model.bridge_rules import HintSection, RuleSection
from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import (
    NAME_PATTERN,
    Also,
    Cron,
    File,
    Globs,
    MetricGlob,
    Name,
    Parameters,
    Patterns,
    Seconds,
    Zone,
)

MAX_ANALYSES = 50
MAX_SCHEDULES = 20
MAX_RULES = 500
MAX_PRIORITY = 100

NoteChoice = Literal["always", "on-change", "on-failure", "never"]

_ON_OFF = ({"type": "boolean"}, {"type": "null"})


def _switch(value: Any) -> Any:
    """`true` and nothing stand for the trigger as it is, `false` for none."""
    if value is None or value is True:
        return {}
    return None if value is False else value


def _tags(value: Any) -> Any:
    if value is None or value is True:
        return ["**"]
    return None if value is False else value


def _schedules(value: Any) -> Any:
    entries: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value]
    return [{"cron": entry} if isinstance(entry, str) else entry for entry in entries]


def _metrics(value: Any) -> Any:
    if not isinstance(value, list):
        value = [value]
    return [{"path": entry} if isinstance(entry, str) else entry for entry in cast(list[Any], value)]


def _nothing(value: Any) -> Any:
    return {} if value is None else value


class PushSection(Section):
    """Runs on pushes to branches."""

    branches: Globs | None = Field(
        None,
        description="Branches, as patterns; one must match. Left out: the default branch alone.",
        examples=[["main", "release/*"]],
    )
    paths: Globs | None = Field(
        None,
        description="At least one changed file must match one of these patterns.",
        examples=[["src/**", "reana.yaml"]],
    )
    paths_ignore: Globs | None = Field(
        None,
        description="Pushes in which every changed file matches one of these patterns do not run.",
        examples=[["docs/**", "**/*.md"]],
    )


class MergeRequestSection(Section):
    """Runs on merge requests; on plain git, on pushes to any branch but the default one."""

    branches: Globs | None = Field(
        None, description="Target branches, as patterns; one must match. Left out: any.", examples=[["main"]]
    )
    labels: Globs | None = Field(
        None,
        description="The merge request must carry a label that matches. Left out: no such condition.",
        examples=[["run-physics"]],
    )
    drafts: bool = Field(True, description="Whether drafts run too.")
    paths: Globs | None = Field(
        None, description="At least one changed file must match one of these patterns."
    )
    paths_ignore: Globs | None = Field(
        None,
        description="Merge requests in which every changed file matches one of these patterns do not run.",
    )


class ScheduleSection(Section):
    """Runs by the clock, on the default branch."""

    cron: Cron = Field(description="Minute, hour, day, month, weekday.", examples=["0 3 * * 1-5"])
    timezone: Zone = Field("UTC", description="The IANA time zone of `cron`.", examples=["Europe/Zurich"])
    parameters: Parameters = Field(
        default_factory=dict, description="Parameters of these runs, over the analysis' own."
    )


class OnSection(Section):
    """When an analysis runs."""

    push: Annotated[PushSection | None, BeforeValidator(_switch), Also(*_ON_OFF)] = Field(
        None,
        description="Pushes to branches; `true` for the default branch.",
        examples=[{"branches": ["main"]}],
    )
    merge_request: Annotated[MergeRequestSection | None, BeforeValidator(_switch), Also(*_ON_OFF)] = Field(
        None, description="Merge requests; `true` for all of them.", examples=[True]
    )
    tag: Annotated[Globs | None, BeforeValidator(_tags), Also(*_ON_OFF)] = Field(
        None, description="Tags, as patterns; `true` for any.", examples=[["v*"]]
    )
    schedule: Annotated[
        list[ScheduleSection],
        BeforeValidator(_schedules),
        Field(max_length=MAX_SCHEDULES),
        Also(each=({"type": "string"},)),
    ] = Field(
        default_factory=list[ScheduleSection],
        description="Times, as cron lines.",
        examples=[[{"cron": "0 3 * * 1-5"}]],
    )
    comment: bool = Field(True, description="Whether members may start it by a comment.")
    manual: bool = Field(True, description="Whether it may be started by hand, from the page or the API.")


class AnalysisSection(Section):
    """One named workflow of the project."""

    file: File = Field("reana.yaml", description="Its REANA specification, relative to the repository's top.")
    on: OnSection | None = Field(
        None,
        description="When it runs. Left out: pushes to the default branch, and merge requests.",
        examples=[{"push": {"branches": ["main"]}, "merge-request": True}],
    )
    parameters: Parameters = Field(
        default_factory=dict,
        description="Values over the specification's `inputs.parameters`, for every run.",
        examples=[{"events": 10000}],
    )
    backend: Annotated[str, Field(max_length=63)] = Field(
        "",
        description="Where it runs, among the backends that the server allows. "
        "Left out: the server's choice.",
    )
    network: bool | None = Field(
        None,
        description="Whether its jobs need the network, where the server allows it. "
        "Left out: the server's choice.",
    )
    timeout: Seconds | None = Field(
        None,
        description="The longest that a run may take, in seconds or as `90m`, `2h`, `1h30m`. "
        "Left out: the server's.",
        examples=["2h"],
    )
    priority: Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] = Field(
        0, description="Runs with a higher one start first, within what the server allows."
    )
    metrics: Annotated[
        list[MetricsSection],
        BeforeValidator(_metrics),
        Field(max_length=100),
        Also(each=({"type": "string"},)),
    ] = Field(
        default_factory=list[MetricsSection],
        description="Files, folders and logs from which metrics and test cases are read. "
        "Left out: the usual places.",
        examples=[["results/metrics.json"]],
    )
    hints: Annotated[dict[MetricGlob, HintSection], Field(max_length=MAX_RULES)] = Field(
        default_factory=dict,
        description="By metric (a name or a pattern): its unit, which way is better, what it is.",
        examples=[{"fit.upper_limit": {"unit": "fb", "direction": "lower"}}],
    )
    artifacts: Patterns | None = Field(
        None,
        description="Files to keep beside the specification's outputs, as paths, directories or patterns.",
        examples=[["plots/*.png"]],
    )
    rules: Annotated[list[RuleSection], Field(max_length=MAX_RULES)] = Field(
        default_factory=list[RuleSection],
        description="What may not happen to metrics, and what it means when it does.",
        examples=[[{"metric": "fit.upper_limit", "relative": "5%", "effect": "block"}]],
    )
    baseline: Baseline | None = Field(
        None,
        description="What its results are compared with. Left out: the merge-base (on the default branch the "
        "first parent), its nearest ancestor with a result, the target's tip.",
        examples=["target", {"places": ["tag", "target"], "tag": "v*"}],
    )
    checks: Literal["block", "warn", "inform"] = Field(
        "warn",
        description="What a check that does not pass does, a scenario of `tests.files` or a test case of "
        "JUnit: `block` fails the status, `warn` warns in the report, `inform` only tells.",
        examples=["block"],
    )
    files: Annotated[list[FileSection], Field(max_length=MAX_RULES)] = Field(
        default_factory=list[FileSection],
        description="How far artifacts may differ from the baseline's, and what it means when they do. "
        "Files without a rule are compared all the same, within rounding.",
        examples=[[{"path": "results/*.csv", "relative": 1e-6, "effect": "block"}]],
    )
    cancel_superseded: bool | None = Field(
        None,
        description="Whether runs that nobody wants any more are cancelled. "
        "Left out: yes for merge requests, no for the default branch and tags.",
    )
    note: NoteChoice | None = Field(
        None,
        description="When the note of a merge request speaks of it: `always`, `on-change` (of its metrics or "
        "files, or when it failed), `on-failure` or `never`. What a note has spoken of once is kept right. "
        "Left out: the server's choice.",
        examples=["on-change"],
    )


class SingleFile(AnalysisSection):
    """The file of a project with one analysis: its keys stand at the top."""

    name: Name = Field(
        "analysis", description="The analysis' name; its status is `reana/<name>`.", examples=["fit"]
    )


class SeveralFile(Section):
    """The file of a project with several analyses."""

    analyses: Annotated[
        dict[Name, Annotated[AnalysisSection, BeforeValidator(_nothing), Also({"type": "null"})]],
        Field(
            min_length=1,
            max_length=MAX_ANALYSES,
            json_schema_extra={"propertyNames": {"pattern": f"^{NAME_PATTERN}$"}},
        ),
    ] = Field(description="The analyses by name; the status of each is `reana/<name>`.")
    cancel_superseded: bool | None = Field(
        None, description="The same key for all analyses that do not say it themselves."
    )
    note: NoteChoice | None = Field(
        None, description="The same key for all analyses that do not say it themselves."
    )
