"""`.reana-bridge.yaml` as values: which analyses a project has, when they run, what is read and judged."""

from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.metrics import Direction

Value = str | int | float | bool


class NoteWhen(StrEnum):
    """When a merge request's note has a section on an analysis; an existing section is always kept right."""

    ALWAYS = "always"
    ON_CHANGE = "on-change"
    ON_FAILURE = "on-failure"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class OnPush:
    """Run on pushes. Globs (`**` crosses `/`, `!` first negates); empty tuples match everything.

    Attributes:
        branches: The branch must match; `None` stands for the default branch alone.
        paths: At least one changed file must match.
        paths_ignore: Not every changed file may match.
    """

    branches: tuple[str, ...] | None = None
    paths: tuple[str, ...] = ()
    paths_ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OnMergeRequest:
    """Run on merge requests (on the git forge: pushes to any branch but the default one).

    Attributes:
        branches: The target branch must match.
        labels: The merge request must carry one of these; empty for no such rule.
        drafts: Whether drafts run too.
        paths: At least one changed file must match.
        paths_ignore: Not every changed file may match.
    """

    branches: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    drafts: bool = True
    paths: tuple[str, ...] = ()
    paths_ignore: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OnSchedule:
    """Run by the clock on the default branch.

    Attributes:
        cron: Five fields.
        timezone: An IANA name.
        parameters: Over the analysis' own.
    """

    cron: str
    timezone: str = "UTC"
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, kw_only=True)
class Triggers:
    """When an analysis runs; None switches a trigger off."""

    push: OnPush | None = None
    merge_request: OnMergeRequest | None = None
    tags: tuple[str, ...] | None = None
    schedules: tuple[OnSchedule, ...] = ()
    comment: bool = True
    manual: bool = True


@dataclass(frozen=True, kw_only=True)
class MetricsFile:
    """A file, a folder or a step's log with metrics, and how to read it.

    Attributes:
        path: Path or glob in the workspace; empty for a log.
        format: A reader's name; empty to go by the file's ending.
        prefix: Put before each name.
        log: Name of the step whose log is read by `pattern`; `*` for all steps, empty for a file.
        pattern: Regular expression with named groups, put to the log or file; empty for none.
        name: The metric's name where the pattern has a group `value` and none called `name`.
    """

    path: str
    format: str = ""
    prefix: str = ""
    log: str = ""
    pattern: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricHint:
    """What the project says of metrics that match `name` (a glob): unit, direction, uncertainty's metric."""

    name: str
    unit: str = ""
    direction: Direction | None = None
    target: float | None = None
    description: str = ""


class HistoryTest(StrEnum):
    """How a value is tested against the last runs on the default branch."""

    T = "t"
    """Student's t, which allows for few runs."""
    Z = "z"
    """As if mean and spread were known exactly; for many runs."""
    MAD = "mad"
    """By the median absolute deviation, which outliers do not move."""
    IQR = "iqr"
    """By the interquartile range, likewise."""


@dataclass(frozen=True, kw_only=True)
class HistoryLimit:
    """How far a metric may be from what the default branch had.

    Attributes:
        test: Which test.
        runs: How many of the last successful runs count.
        minimum_runs: With fewer values nothing is judged.
        sigmas: The limit, in standard deviations of a normal distribution.
    """

    test: HistoryTest = HistoryTest.T
    runs: int = 50
    minimum_runs: int = 8
    sigmas: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a metric is to reach, in the metric's unit.

    Attributes:
        minimum: What it must reach; anything else breaks the rule.
        design: What it was made for; missing it warns at most.
        stretch: What would be better still; missing it is only told.
        value: Where it is to be; then the levels are the largest distances from it. None where the levels
            are values themselves, higher ones for more where `stretch` is above `minimum`.
    """

    minimum: float | None = None
    design: float | None = None
    stretch: float | None = None
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What may not happen to metrics that match `metric` (a glob). Exactly the given limits are judged.

    Attributes:
        metric: Glob over names.
        absolute: Largest |difference| in the metric's unit.
        relative: Largest |difference| / |baseline|, as a fraction.
        sigmas: Largest |difference| in combined standard deviations.
        minimum: Lowest allowed value.
        maximum: Highest allowed value.
        effect: What breaking it does.
        correlation: Between the uncertainties of the two sides, from -1 to 1; 0 for independent samples.
        history: How far it may be from what the default branch had.
        target: What it is to reach.
        where: Only metrics with these tags: tag -> glob over its value.
    """

    metric: str
    absolute: float | None = None
    relative: float | None = None
    sigmas: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    effect: RuleEffect = RuleEffect.WARN
    correlation: float = 0.0
    history: HistoryLimit | None = None
    target: Target | None = None
    where: dict[str, str] = field(default_factory=dict[str, str])


class BaselinePlace(StrEnum):
    """Where a baseline is looked for."""

    MERGE_BASE = "merge-base"
    ANCESTOR = "ancestor"
    TARGET = "target"
    TAG = "tag"
    PINNED = "pinned"
    ROLLING = "rolling"


@dataclass(frozen=True, kw_only=True)
class BaselineWish:
    """What a result is to be compared with.

    Attributes:
        places: Where a baseline is looked for, the best first.
        tag: Glob over the tags that count, for `TAG`.
        run: The run's id, for `PINNED`.
        rolling: How many of the last runs, for `ROLLING`.
        run_missing: Whether a missing baseline of a merge request is run first.
    """

    places: tuple[BaselinePlace, ...] = (
        BaselinePlace.MERGE_BASE,
        BaselinePlace.ANCESTOR,
        BaselinePlace.TARGET,
    )
    tag: str = "**"
    run: str = ""
    rolling: int = 10
    run_missing: bool = False


@dataclass(frozen=True, kw_only=True)
class PartRule:
    """How far apart one part of a file may be: a column, a key, an array, a histogram.

    Attributes:
        name: Glob over the names of parts (`*` crosses dots).
        absolute: Largest |difference|; None for none beside `relative`.
        relative: Largest |difference| / |baseline|, as a fraction; None for none beside `absolute`.
        p_value: Histograms: the smallest chance at which the two still agree; None for the file's.
    """

    name: str
    absolute: float | None = None
    relative: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class FileRule:
    """How files that match `path` (a glob) are compared, and what it means when they differ.

    Attributes:
        path: Glob over paths in the workspace; of several rules that match the first one counts.
        kind: A comparator's name; empty to go by the file's ending.
        absolute: Largest |difference| of two numbers; None for none beside `relative`.
        relative: Largest |difference| / |baseline|, as a fraction; None for none beside `absolute`.
        p_value: Histograms: the smallest chance at which the two still agree; None for three sigma.
        parts: For single parts, over the file's own; of several that match the first one counts.
        ignore: Globs over the names of parts (of a text: over its lines) that are not looked at.
        effect: What a file that differs, is missing or cannot be compared does. Pictures never block.
    """

    path: str
    kind: str = ""
    absolute: float | None = None
    relative: float | None = None
    p_value: float | None = None
    parts: tuple[PartRule, ...] = ()
    ignore: tuple[str, ...] = ()
    effect: RuleEffect = RuleEffect.WARN


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One named workflow of a project.

    Attributes:
        name: Letters, digits, `-`, `_`, `.`; status context `reana/<name>`.
        file: Its specification, relative to the repository.
        on: When it runs.
        parameters: Over the specification's `inputs.parameters`.
        backend: A backend's name; empty for the project's default.
        timeout: Seconds; None for the server's.
        network: Whether its jobs ask for the network; None for the server's choice.
        priority: Higher runs first, within the server's bounds.
        metrics: Files to read; empty for the usual places.
        artifacts: Beside the specification's outputs.
        hints: Units and directions.
        rules: What is judged.
        files: How artifacts are compared; all others by their ending, within rounding.
        cancel_superseded: Whether its runs that nobody wants any more are cancelled; None for the default
            (yes for proposals, no for the default branch and tags).
        note: When the merge request's note speaks of it; None for the server's choice.
        baseline: What its results are compared with.
        checks: What a check that does not pass does: a scenario of `tests.files`, a test case of JUnit.
    """

    name: str
    file: str = "reana.yaml"
    on: Triggers = field(default_factory=Triggers)
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])
    backend: str = ""
    timeout: float | None = None
    network: bool | None = None
    priority: int = 0
    metrics: tuple[MetricsFile, ...] = ()
    artifacts: tuple[str, ...] = ()
    hints: tuple[MetricHint, ...] = ()
    rules: tuple[Rule, ...] = ()
    files: tuple[FileRule, ...] = ()
    cancel_superseded: bool | None = None
    note: NoteWhen | None = None
    baseline: BaselineWish = field(default_factory=BaselineWish)
    checks: RuleEffect = RuleEffect.WARN


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """The whole of `.reana-bridge.yaml`.

    Attributes:
        analyses: At least one.
        cancel_superseded: What the file says for all analyses; each of them has its own, this put in.
    """

    analyses: tuple[Analysis, ...]
    cancel_superseded: bool | None = None
