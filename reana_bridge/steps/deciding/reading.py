"""What the looking steps ask of one project: its forge, its fetched commits, its rows. Nothing is written."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from reana_bridge.forges.base import CommitGone, Forge
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.forges.source import changed_files, foresee, is_ancestor, merge_base
from reana_bridge.model.analyses import Analysis, NoteWhen, ProjectFile
from reana_bridge.model.decisions import Forks, within_server_limits
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.projects import Project
from reana_bridge.settings import ProjectSettings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.sources import FILE_LIMIT, SPECIFICATION, project_file_at, specification_at
from reana_bridge.store.tables import Approval, MergeRequestRow, Run

BRANCHES_AND_TAGS = ("refs/heads/", "refs/tags/")
_run, _approval = cast(Any, Run), cast(Any, Approval)


class Reading:
    """Asks one project's forge, its cache and the database."""

    def __init__(self, bridge: Bridge, project: Project, rule: ProjectSettings) -> None:
        self.bridge = bridge
        self.project = project
        self.rule = rule
        self.forge: Forge = bridge.forges[project.forge]
        self.cache: Path = bridge.cache(project)

    @property
    def hosted(self) -> HostedForge | None:
        """The forge, where it has merge requests of its own."""
        return self.forge if is_hosted(self.forge) else None

    def now(self) -> float:
        """By the database's clock: hosts compare who asked the forge last."""
        with self.bridge.database.read() as session:
            return self.bridge.database.now(session)

    def tip(self, ref: str) -> str:
        """The commit of a branch, fetched; empty where there is none."""
        sha = self.forge.head(self.project, ref)
        if sha is None:
            return ""
        try:
            self.forge.fetch(self.project, sha, self.cache)
        except CommitGone:
            return ""
        return sha

    def project_file(self, sha: str) -> tuple[ProjectFile | None, dict[str, Analysis], tuple[Problem, ...]]:
        """The project file at the commit, its analyses within the server's limits, and what is wrong."""
        ci_file = self.hosted.ci_file if self.hosted else ""
        # With one git what is asked of the commit here, next, and when its status is shown.
        foresee(self.cache, sha, [self.rule.file, SPECIFICATION, *([ci_file] if ci_file else [])], FILE_LIMIT)
        try:
            file = project_file_at(self.cache, sha, self.rule.file)
        except ConfigurationError as error:
            return None, {}, error.problems
        settings = self.bridge.settings
        most = self.rule.seconds or settings.limits.seconds
        limited = {
            analysis.name: within_server_limits(
                analysis,
                allowed_backends=self.rule.backends,
                default_backend=settings.backend_of(self.rule),
                max_timeout=most,
                network_allowed=self.rule.network,
                max_priority=settings.limits.priority,
                file=self.rule.file,
            )
            for analysis in (file.analyses if file else ())
        }
        problems = tuple(problem for _, found in limited.values() for problem in found)
        analyses = {name: self._completed(analysis, most) for name, (analysis, _) in limited.items()}
        return file, analyses, problems

    def _completed(self, analysis: Analysis, most: float) -> Analysis:
        """With the server's choice where the file makes none."""
        return replace(
            analysis,
            timeout=analysis.timeout or most,
            network=self.rule.network if analysis.network is None else analysis.network,
            note=analysis.note or NoteWhen(self.rule.note),
        )

    def specification(
        self, sha: str, analysis: Analysis, parameters: dict[str, object] | None = None
    ) -> tuple[Problem, ...]:
        """What is wrong with the analysis' specification at the commit, and warnings about it."""
        try:
            return specification_at(self.cache, sha, analysis, parameters or {})[1]
        except ConfigurationError as error:
            return error.problems

    def changed(self, before: str | None, sha: str) -> tuple[str, ...] | None:
        """Paths that changed between two commits; None when unknown."""
        if before is None:
            return None
        try:
            changes = changed_files(self.cache, before, sha)
        except CommitGone:  # force-pushed away before it was ever fetched
            return None
        return changes.paths if changes.complete else None

    def changed_since_base(self, sha: str, target_sha: str) -> tuple[str, ...] | None:
        """Paths that a proposal changes since its merge-base with the target; None when unknown."""
        return self.changed(merge_base(self.cache, sha, target_sha) if target_sha else None, sha)

    def merge_request(self, number: int) -> MergeRequestRow | None:
        """What is known of a merge request."""
        with self.bridge.database.read() as session:
            return session.get(MergeRequestRow, (str(self.project), number))

    def approved_by(self, sha: str, number: int | None = None) -> str:
        """Who let the commit run (of the merge request `number`, or of any); empty for nobody.

        Where the settings let no fork's code run, no earlier approval counts either.
        """
        if Forks(self.rule.forks) is Forks.NEVER:
            return ""
        found = select(_approval.approved_by).where(
            _approval.project == str(self.project), _approval.sha == sha
        )
        if number is not None:
            found = found.where(_approval.number == number)
        with self.bridge.database.read() as session:
            return session.execute(found.order_by(_approval.approved_at).limit(1)).scalar_one_or_none() or ""

    def is_own(self, sha: str, target_sha: str, ref: str = "") -> bool:
        """Whether the fetched commit is the project's own, rather than one that a fork proposes.

        On a hosted forge any fork's commit can be fetched by its sha: only what a branch or tag leads to
        directly, what the history of the default branch or of `ref` holds and what ran as the project's own
        counts.
        """
        if self.hosted is None or (target_sha and is_ancestor(self.cache, sha, target_sha)):
            return True
        same = (_run.project == str(self.project), _run.sha == sha, _run.trusted.is_(True))
        with self.bridge.database.read() as session:
            if session.execute(select(_run.id).where(*same).limit(1)).scalar_one_or_none():
                return True
        tip = self.tip(ref) if ref.startswith(BRANCHES_AND_TAGS) else ""
        if tip and is_ancestor(self.cache, sha, tip):
            return True
        return sha in self.forge.heads(self.project).values()


def asks_for_paths(file: ProjectFile | None) -> bool:
    """Whether any analysis' triggers depend on what changed."""
    triggers = [t for a in (file.analyses if file else ()) for t in (a.on.push, a.on.merge_request) if t]
    return any(trigger.paths or trigger.paths_ignore for trigger in triggers)
