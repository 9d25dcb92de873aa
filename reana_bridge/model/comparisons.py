"""A comparison: metric by metric and artifact by artifact, what changed against the baseline."""

from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import CheckState

SIGNIFICANT_SIGMAS = 3.0
"""From here on a difference between values with uncertainties is more than noise."""


class Verdict(StrEnum):
    """What became of one metric."""

    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    SAME = "same"
    NEW = "new"
    MISSING = "missing"
    NOT_COMPARABLE = "not comparable"


class FileVerdict(StrEnum):
    """What became of one artifact."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    DIFFERENT = "different"
    NEW = "new"
    MISSING = "missing"
    NOT_COMPARABLE = "not comparable"


UNMOVED = frozenset({FileVerdict.IDENTICAL, FileVerdict.WITHIN_TOLERANCE})
"""Verdicts on files that are no news."""


class RuleEffect(StrEnum):
    """What a broken rule does: fail the status, warn in the report, or only inform."""

    BLOCK = "block"
    WARN = "warn"
    INFORM = "inform"


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """Somebody's word that a difference is expected, for one metric up to one value, or for one file.

    Attributes:
        metric: The metric's name, or the file's path.
        value: The value of this commit when it was accepted, and a difference as large or smaller is
            covered; of a file the SHA-256 of its content; None where this commit has it no more.
        reason: Why, in that person's words.
        by: Who said so, as the forge names them.
        at: When, UTC seconds since the epoch.
        sha: The head for which it was said.
        merge_request: Where it was said; None where not in a merge request.
    """

    metric: str
    value: float | int | str | bool | None
    reason: str
    by: str
    at: float
    sha: str = ""
    merge_request: int | None = None


@dataclass(frozen=True, kw_only=True)
class Test:
    """The statistical test behind a verdict, with all that is needed to compute it again.

    Attributes:
        name: `pull`, `z`, `t`, `mad` or `iqr`.
        version: Of its formula; another one after any change of what it computes.
        statistic: In standard deviations (or units of t); None where it could not be computed, or is
            beyond the floats.
        p_value: Two-sided, before any correction; None where it could not be computed.
        limit: |statistic| up to which nothing has moved, in the same units.
        sample: Values on the default branch that give the spread, oldest first; empty for `pull`.
        correlation: Between the two sides, for `pull`; 0 for independent samples.
        significant: Whether it stands after the correction for all tests of the report; None where it could
            not be judged, such as for too little history.
        explanation: One clause: why it could not be judged, or what it was judged against.
    """

    name: str
    version: int = 1
    statistic: float | None = None
    p_value: float | None = None
    limit: float = 0.0
    sample: tuple[float, ...] = ()
    correlation: float = 0.0
    significant: bool | None = None
    explanation: str = ""


@dataclass(frozen=True, kw_only=True)
class RuleOutcome:
    """What a rule says of one metric.

    Attributes:
        rule: The rule in words, such as `at most 5 % higher`.
        effect: What breaking it does.
        broken: Whether this metric breaks it; None where it could not be judged.
        explanation: One sentence with the figures: `+18.3 % is above 5 %`.
        proposed: True for a rule that this commit changes: shown beside, never counted.
        test: The statistical test that it was judged by; None for a plain limit.
        accepted: Who said that the difference is expected; None where nobody did. An accepted outcome is
            shown as broken and accepted, and never blocks.
        pattern: The metric or file, or pattern of such, that the rule is on; empty where it was not noted.
    """

    rule: str
    effect: RuleEffect
    broken: bool | None
    explanation: str
    proposed: bool = False
    test: Test | None = None
    accepted: Acceptance | None = None
    pattern: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricComparison:
    """One metric of the baseline and of this commit.

    Attributes:
        name: The metric's name.
        baseline: The baseline's metric; None when new.
        head: This commit's metric; None when missing.
        verdict: What became of it.
        difference: head - baseline in the metric's unit; None where either is no finite number.
        relative: difference / |baseline|; None where the baseline is 0 or nothing can be computed.
        sigmas: difference / sqrt(u_head^2 + u_baseline^2 - 2 rho u_head u_baseline), with the sides of
            asymmetric uncertainties that face each other; None without uncertainties.
        explanation: Why this verdict, one short clause.
        rules: What the rules on it say.
        test: What tells a change from noise; None where nothing could be tested.
        pictures: What was drawn of its series, of both sides over another.
    """

    name: str
    baseline: Metric | None
    head: Metric | None
    verdict: Verdict
    difference: float | None = None
    relative: float | None = None
    sigmas: float | None = None
    explanation: str = ""
    rules: tuple[RuleOutcome, ...] = ()
    test: Test | None = None
    pictures: tuple[Picture, ...] = ()

    @property
    def within_noise(self) -> bool:
        """Whether it moved by no more than its uncertainties or its history let expect."""
        if self.verdict is not Verdict.CHANGED:
            return False
        if self.test is not None:
            return self.test.significant is False
        # Made before tests were stored.
        return self.sigmas is not None and abs(self.sigmas) < SIGNIFICANT_SIGMAS

    @property
    def unjudged(self) -> bool:
        """Whether it differs and nobody can say if that is more than noise: the spread is unknown."""
        if self.verdict is Verdict.SAME or self.difference is None:
            return False
        judged = self.test is not None and self.test.significant is not None
        return not judged and self.sigmas is None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of the comparison of two files, such as `chi2 / ndf`.

    Attributes:
        name: What it is.
        value: Its value.
    """

    name: str
    value: float | int | str


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """One part of a compared file: a histogram, a column, a key, an array.

    Attributes:
        name: The part's name within the file.
        verdict: What became of it.
        explanation: One clause with the figures: `chi2/ndf 44.1/26, p = 0.015`.
        measures: The figures.
        pictures: What was drawn of it.
    """

    name: str
    verdict: FileVerdict
    explanation: str = ""
    measures: tuple[Measure, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileComparison:
    """One artifact of the baseline and of this commit.

    Attributes:
        path: Relative to the workspace.
        verdict: What became of it; `identical` by content digest alone: the same values written otherwise
            are `within tolerance`.
        baseline_digest: SHA-256, hexadecimal; empty when new.
        head_digest: SHA-256, hexadecimal; empty when missing.
        kind: What it was compared as, such as `csv` or `histograms`; empty for bare bytes.
        explanation: One clause: how far apart, or why not comparable.
        measures: The figures of the whole file.
        parts: Its parts, those that differ first.
        pictures: What was drawn of the whole file.
        rules: What the rule on it says.
        lasting: Whether another look would say the same; False for a want of the server's: time, a library.
    """

    path: str
    verdict: FileVerdict
    baseline_digest: str = ""
    head_digest: str = ""
    kind: str = ""
    explanation: str = ""
    measures: tuple[Measure, ...] = ()
    parts: tuple[FilePart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()
    lasting: bool = True


@dataclass(frozen=True, kw_only=True)
class CheckComparison:
    """One check of the baseline and of this commit.

    Attributes:
        name: The check's name.
        source: The file that declares it.
        group: The feature, or the test suite; empty for none.
        baseline: None where the baseline has no such check, or there is no baseline.
        head: None where this commit has no such check any more.
        message: Why, for one that did not pass.
    """

    name: str
    source: str
    baseline: CheckState | None
    head: CheckState | None
    message: str = ""
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class History:
    """The runs on the default branch whose spread was looked at.

    Attributes:
        run_ids: Oldest first.
        shas: Their commits, in the same order.
        since: By metric the index of the first run that counts, where a change of it was accepted: what was
            before is left out.
    """

    run_ids: tuple[str, ...] = ()
    shas: tuple[str, ...] = ()
    since: dict[str, int] = field(default_factory=dict[str, int])


class BaselineReason(StrEnum):
    """Why this run is the baseline."""

    MERGE_BASE = "merge-base"
    FIRST_PARENT = "first parent"
    ANCESTOR = "nearest ancestor with a result"
    TARGET_TIP = "tip of the target branch"
    TAG = "newest tag"
    PINNED = "pinned in the project's file"
    ROLLING = "median of the last runs"
    GIVEN = "asked for"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The run that a result is compared with, and why it was chosen.

    Attributes:
        run_id: That run.
        sha: Its commit, 40 hexadecimal digits.
        branch: The branch it was found on, such as `main`.
        reason: Why it was chosen.
        distance: How many commits it lies before the wanted one (first parents); 0 when exact.
        ahead: How many commits the target branch was further when this was compared; None where unknown.
        ended_at: When that run ended, UTC seconds since the epoch.
        tag: The tag that it was chosen by; empty for none.
        runs: How many runs it stands for; more than 1 only for a rolling baseline, whose values are medians.
    """

    run_id: str
    sha: str
    branch: str
    reason: BaselineReason
    distance: int = 0
    ahead: int | None = None
    ended_at: float | None = None
    tag: str = ""
    runs: int = 1


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that a report says about a result against its baseline.

    Attributes:
        baseline: None where there is none; then `no_baseline` says why.
        no_baseline: One sentence; empty where there is a baseline.
        metrics: In the order worse, better, changed, not comparable, new, missing, same; by name within.
        files: In the order different, not comparable, new, missing, within tolerance, identical; by path
            within.
        checks: Those that do not pass first, by source and name.
        drift: What differs in the environment, such as `numpy 2.1.0 -> 2.2.0`.
        interim: True while a better baseline is still running; `waiting_for` names its commit.
        waiting_for: Commit of the run that is waited for; empty unless interim.
        made_at: When it was made, UTC seconds since the epoch; ages are counted to it.
        blocked: Whether a rule with effect `block` is broken and nobody accepted it.
        history: Where the spread of metrics comes from; None where none was looked at.
        tests: How many statistical tests were made; the correction is over these.
        false_discovery: The share of false alarms among those that stand after the correction, at most.
        idle: Names or patterns of rules that fit no metric of either side; empty where there are no metrics.
        idle_files: Globs of rules on files that fit no artifact of either side.
        contents: Path of an artifact of which nothing was drawn beside the other side's -> what is in it: of
            this commit's file, and of the baseline's where that is missing now.
    """

    baseline: Baseline | None
    no_baseline: str = ""
    metrics: tuple[MetricComparison, ...] = ()
    files: tuple[FileComparison, ...] = ()
    checks: tuple[CheckComparison, ...] = ()
    drift: tuple[str, ...] = ()
    interim: bool = False
    waiting_for: str = ""
    made_at: float = 0.0
    blocked: bool = False
    history: History | None = None
    tests: int = 0
    false_discovery: float = 0.05
    idle: tuple[str, ...] = ()
    idle_files: tuple[str, ...] = ()
    contents: dict[str, DrawnFile] = field(default_factory=dict[str, DrawnFile])
