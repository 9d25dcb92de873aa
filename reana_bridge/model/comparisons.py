"""A comparison: metric by metric and artifact by artifact, what changed against the baseline."""

from dataclasses import dataclass
from enum import StrEnum

from reana_bridge.model.metrics import Metric

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
    DIFFERENT = "different"
    NEW = "new"
    MISSING = "missing"


class RuleEffect(StrEnum):
    """What a broken rule does: fail the status, warn in the report, or only inform."""

    BLOCK = "block"
    WARN = "warn"
    INFORM = "inform"


@dataclass(frozen=True, kw_only=True)
class RuleOutcome:
    """What a rule says of one metric.

    Attributes:
        rule: The rule in words, such as `at most 5 % higher`.
        effect: What breaking it does.
        broken: Whether this metric breaks it; None where it could not be judged.
        explanation: One sentence with the figures: `+18.3 % is above 5 %`.
        proposed: True for a rule that this commit changes: shown beside, never counted.
    """

    rule: str
    effect: RuleEffect
    broken: bool | None
    explanation: str
    proposed: bool = False


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
        sigmas: difference / sqrt(u_head^2 + u_baseline^2), independent samples; None without
            uncertainties.
        explanation: Why this verdict, one short clause.
        rules: What the rules on it say.
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

    @property
    def within_noise(self) -> bool:
        """Whether both values have uncertainties and differ by less than `SIGNIFICANT_SIGMAS` of them."""
        changed = self.verdict is Verdict.CHANGED
        return changed and self.sigmas is not None and abs(self.sigmas) < SIGNIFICANT_SIGMAS


@dataclass(frozen=True, kw_only=True)
class FileComparison:
    """One artifact of the baseline and of this commit, compared by content digest."""

    path: str
    verdict: FileVerdict
    baseline_digest: str = ""
    head_digest: str = ""


class BaselineReason(StrEnum):
    """Why this run is the baseline."""

    MERGE_BASE = "merge-base"
    FIRST_PARENT = "first parent"
    ANCESTOR = "nearest ancestor with a result"
    TARGET_TIP = "tip of the target branch"
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
    """

    run_id: str
    sha: str
    branch: str
    reason: BaselineReason
    distance: int = 0
    ahead: int | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that a report says about a result against its baseline.

    Attributes:
        baseline: None where there is none; then `no_baseline` says why.
        no_baseline: One sentence; empty where there is a baseline.
        metrics: In the order worse, better, changed, not comparable, new, missing, same; by name within.
        files: In the order different, new, missing, identical; by path within.
        drift: What differs in the environment, such as `numpy 2.1.0 -> 2.2.0`.
        interim: True while a better baseline is still running; `waiting_for` names its commit.
        waiting_for: Commit of the run that is waited for; empty unless interim.
        made_at: When it was made, UTC seconds since the epoch; ages are counted to it.
        blocked: Whether a rule with effect `block` is broken.
    """

    baseline: Baseline | None
    no_baseline: str = ""
    metrics: tuple[MetricComparison, ...] = ()
    files: tuple[FileComparison, ...] = ()
    drift: tuple[str, ...] = ()
    interim: bool = False
    waiting_for: str = ""
    made_at: float = 0.0
    blocked: bool = False
