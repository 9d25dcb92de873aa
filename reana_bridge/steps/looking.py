"""Everything that is looked up before a delivery is decided, and the judgement on it. Nothing is written."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from reana_bridge.forges.base import CommitGone, Forge
from reana_bridge.forges.source import changed_files, commit_message, is_ancestor, merge_base
from reana_bridge.model.analyses import Analysis, ProjectFile
from reana_bridge.model.decisions import (
    AnalysisDecision,
    Decision,
    Outcome,
    Situation,
    decide,
    within_server_limits,
)
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.projects import Project
from reana_bridge.model.wants import WantKind
from reana_bridge.settings import ProjectSettings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.sources import project_file_at, specification_at
from reana_bridge.store.tables import Delivery
from webhooks import git
from webhooks.events import Ignored, Push, Tag
from webhooks.kinds import KINDS


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a delivery is about, and what it leads to.

    Attributes:
        event: The event's kind, one word.
        decision: What it leads to.
        project: None where the delivery names none that can be.
        ref: The full ref; empty where it has none.
        sha: The commit; empty where it has none.
        actor: Who did it.
        asked_at: When the forge was asked for the head, UTC seconds since the epoch.
        head: The commit that the ref pointed to then; None when it was gone or not asked.
        follows_ref: Whether the event tells where a branch or tag is.
        default_branch: The project's.
        target: The full ref of the branch that it is compared with.
        target_sha: That branch's commit then; empty where there is none.
        analyses: By name, cut down to the server's limits.
        again: Whether to run although there is a result already.
        ordered: Whether a person or the clock asked, rather than an event.
        baseline_sha: The commit to compare with; empty for the usual choice.
    """

    event: str
    decision: Decision
    project: Project | None = None
    ref: str = ""
    sha: str = ""
    actor: str = ""
    asked_at: float = 0.0
    head: str | None = None
    follows_ref: bool = False
    default_branch: str = ""
    target: str = ""
    target_sha: str = ""
    analyses: dict[str, Analysis] = field(default_factory=dict[str, Analysis])
    again: bool = False
    ordered: bool = False
    baseline_sha: str = ""


def look(bridge: Bridge, delivery: Delivery) -> Looked:
    """What `delivery` means and leads to.

    Raises:
        ForgeError: The forge did not answer; look again later.
        ForgeRefused: The forge has no such project.
    """
    body = delivery.body or b""
    if delivery.forge not in bridge.forges:
        reason = f"there is no forge {delivery.forge} in the settings any more"
        return Looked(event="unknown", decision=Decision(outcome=Outcome.IGNORED, reason=reason))
    if delivery.kind == "order":
        return _look_at_order(bridge, delivery.forge, Order.read(body))
    kind = git if delivery.kind == "synthetic" else KINDS[bridge.settings.forges[delivery.forge].kind]
    event = kind.parse(delivery.headers or {}, body)
    name = type(event).__name__.lower()
    try:
        project = Project.parse(f"{delivery.forge}:{event.project}")
    except ValueError as error:
        ignored = event if isinstance(event, Ignored) else Ignored(project="", reason=str(error))
        return Looked(event=name, decision=decide(Situation(event=ignored)), actor=event.actor)
    rule = bridge.settings.project(project)
    sha = event.after if isinstance(event, Push) else event.sha if isinstance(event, Tag) else None
    if rule is None or not isinstance(event, Push | Tag):
        found = decide(Situation(event=event, registered=rule is not None))
        return Looked(event=name, decision=found, project=project, actor=event.actor)
    looked = _Looking(bridge, project, rule).event(event, sha)
    return replace(looked, event=name, actor=event.actor)


def _look_at_order(bridge: Bridge, forge: str, order: Order) -> Looked:
    project = Project(forge, order.project)
    rule = bridge.settings.project(project)
    if rule is None:
        decision = Decision(outcome=Outcome.IGNORED, reason=f"the settings register no project `{project}`")
        looked = Looked(event="", decision=decision, project=project)
    else:
        looked = _Looking(bridge, project, rule).order(order)
    return replace(looked, event=f"{order.kind} order", actor=order.actor)


class _Looking:
    """Asks one project's forge and its cache."""

    def __init__(self, bridge: Bridge, project: Project, rule: ProjectSettings) -> None:
        self._bridge = bridge
        self._project = project
        self._rule = rule
        self._forge: Forge = bridge.forges[project.forge]
        self._cache: Path = bridge.cache(project)

    def _now(self) -> float:
        """By the database's clock: hosts compare who asked the forge last."""
        with self._bridge.database.read() as session:
            return self._bridge.database.now(session)

    def event(self, event: Push | Tag, sha: str | None) -> Looked:
        """What a moved branch or tag leads to."""
        asked_at = self._now()
        head = self._forge.head(self._project, event.ref)
        default = self._forge.default_branch(self._project)
        target = f"refs/heads/{default}"
        base = Looked(
            event="",
            decision=Decision(outcome=Outcome.SKIP, reason=""),
            project=self._project,
            ref=event.ref,
            sha=sha or "",
            asked_at=asked_at,
            head=head,
            follows_ref=True,
            default_branch=default,
            target=target,
        )
        situation = Situation(event=event, default_branch=default, head=head)
        if sha is None or head != sha:
            return replace(base, decision=decide(situation))
        try:
            self._forge.fetch(self._project, sha, self._cache)
        except CommitGone as gone:
            return replace(base, decision=Decision(outcome=Outcome.SKIP, reason=str(gone)))
        target_sha = self._target_sha(target)
        situation = replace(situation, message=commit_message(self._cache, sha))
        file, analyses, problems = self._read(sha)
        changed = self._changed(event, sha, default, target_sha) if _asks_for_paths(file) else None
        situation = replace(situation, project_file=file, problems=problems, changed=changed)
        first = decide(situation)
        checked = {
            each.analysis: self._specification(sha, analyses[each.analysis])
            for each in first.analyses
            if each.outcome is Outcome.RUN
        }
        decision = decide(replace(situation, analysis_problems=checked))
        return replace(base, decision=decision, target_sha=target_sha, analyses=analyses)

    def order(self, order: Order) -> Looked:
        """What a person's or the clock's wish leads to."""
        asked_at = self._now()
        default = self._forge.default_branch(self._project)
        target = f"refs/heads/{default}"
        ref = order.ref or ("" if order.sha else target)
        sha = order.sha or self._forge.head(self._project, ref) or ""
        base = Looked(
            event="",
            decision=Decision(outcome=Outcome.SKIP, reason=f"{ref} is gone"),
            project=self._project,
            ref=ref,
            sha=sha,
            asked_at=asked_at,
            default_branch=default,
            target=target,
            again=order.again,
            ordered=True,
            baseline_sha=order.baseline,
        )
        if not sha:
            return base
        try:
            self._forge.fetch(self._project, sha, self._cache)
        except CommitGone as gone:
            return replace(base, decision=Decision(outcome=Outcome.SKIP, reason=str(gone)))
        target_sha = self._target_sha(target)
        proposal = bool(target_sha) and not is_ancestor(self._cache, sha, target_sha)
        file, analyses, problems = self._read(sha)
        decision = self._ordered(order, sha, file, analyses, problems, proposal)
        return replace(base, decision=decision, target_sha=target_sha, analyses=analyses)

    def _ordered(
        self,
        order: Order,
        sha: str,
        file: ProjectFile | None,
        analyses: dict[str, Analysis],
        problems: tuple[Problem, ...],
        proposal: bool,
    ) -> Decision:
        wrong = next((p for p in problems if p.severity == "error"), None)
        if wrong or file is None:
            reason = str(wrong) if wrong else "the commit has neither `reana.yaml` nor `.reana-bridge.yaml`"
            outcome = Outcome.ERROR if wrong else Outcome.SKIP
            return Decision(outcome=outcome, reason=reason, problems=problems)
        chosen = [a for a in file.analyses if order.analysis in ("", a.name)]
        if not chosen:
            names = ", ".join(f"`{a.name}`" for a in file.analyses)
            reason = f"there is no analysis `{order.analysis}` at {sha[:7]}; there are {names}"
            return Decision(outcome=Outcome.ERROR, reason=reason, problems=problems)
        each = tuple(self._ordered_analysis(order, sha, analyses[a.name], proposal) for a in chosen)
        outcome = Outcome.RUN if any(d.outcome is Outcome.RUN for d in each) else each[0].outcome
        reason = next(d for d in each if d.outcome is outcome).reason
        return Decision(outcome=outcome, reason=reason, analyses=each, problems=problems)

    def _ordered_analysis(
        self, order: Order, sha: str, analysis: Analysis, proposal: bool
    ) -> AnalysisDecision:
        manual = order.kind is OrderKind.MANUAL
        problems = self._specification(sha, analysis, dict(order.parameters))
        wrong = next((problem for problem in problems if problem.severity == "error"), None)
        outcome, reason = Outcome.RUN, f"{order.actor or 'somebody'} asked for it"
        if manual and not analysis.on.manual:
            outcome, reason = Outcome.SKIP, "its `on.manual` is off"
        elif wrong:
            outcome, reason = Outcome.ERROR, str(wrong)
        return AnalysisDecision(
            analysis=analysis.name,
            outcome=outcome,
            reason=reason,
            wanted_by=WantKind.MANUAL if manual else WantKind.SCHEDULE,
            proposal=proposal,
            parameters=dict(order.parameters),
            priority=analysis.priority,
            problems=problems,
        )

    def _target_sha(self, target: str) -> str:
        """The target branch's commit, fetched; empty where there is none."""
        sha = self._forge.head(self._project, target)
        if sha is None:
            return ""
        try:
            self._forge.fetch(self._project, sha, self._cache)
        except CommitGone:
            return ""
        return sha

    def _read(self, sha: str) -> tuple[ProjectFile | None, dict[str, Analysis], tuple[Problem, ...]]:
        """The project file at the commit, its analyses within the server's limits, and what is wrong."""
        try:
            file = project_file_at(self._cache, sha, self._rule.file)
        except ConfigurationError as error:
            return None, {}, error.problems
        settings = self._bridge.settings
        limited = {
            analysis.name: within_server_limits(
                analysis,
                allowed_backends=self._rule.backends,
                default_backend=settings.backend_of(self._rule),
                max_timeout=self._rule.seconds or settings.limits.seconds,
                network_allowed=self._rule.network,
                max_priority=settings.limits.priority,
                file=self._rule.file,
            )
            for analysis in (file.analyses if file else ())
        }
        problems = tuple(problem for _, found in limited.values() for problem in found)
        most = self._rule.seconds or settings.limits.seconds
        analyses = {
            name: replace(
                analysis,
                timeout=analysis.timeout or most,
                network=self._rule.network if analysis.network is None else analysis.network,
            )
            for name, (analysis, _) in limited.items()
        }
        return file, analyses, problems

    def _specification(
        self, sha: str, analysis: Analysis, parameters: dict[str, object] | None = None
    ) -> tuple[Problem, ...]:
        try:
            return specification_at(self._cache, sha, analysis, parameters or {})[1]
        except ConfigurationError as error:
            return error.problems

    def _changed(self, event: Push | Tag, sha: str, default: str, target_sha: str) -> tuple[str, ...] | None:
        """Paths that a push changed: for a proposal since the merge-base, else since where the branch was."""
        if isinstance(event, Tag):
            return None
        before = event.before
        if event.branch != default:
            before = merge_base(self._cache, sha, target_sha) if target_sha else None
        if before is None:
            return None
        try:
            changes = changed_files(self._cache, before, sha)
        except CommitGone:  # force-pushed away before it was ever fetched
            return None
        return changes.paths if changes.complete else None


def _asks_for_paths(file: ProjectFile | None) -> bool:
    triggers = [t for a in (file.analyses if file else ()) for t in (a.on.push, a.on.merge_request) if t]
    return any(trigger.paths or trigger.paths_ignore for trigger in triggers)
