"""Whose word counts when a run is judged: the target branch's file, not the proposal's own."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.steps.sources import project_file_at
from reana_bridge.store.tables import Run


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What counts for a run.

    Attributes:
        analysis: The analysis as the commit `sha` declares it; its rules are the ones that count.
        sha: Where it was read, 40 hexadecimal digits.
    """

    analysis: Analysis
    sha: str


def target_sha(row: Run) -> str:
    """The target branch's commit when the run was decided; its own commit where there was none."""
    settings: dict[str, Any] = row.settings or {}
    return settings.get("target_sha") or row.sha


def ruling_on(bridge: Bridge, row: Run, cache: Path) -> Ruling:
    """What counts for `row`; without any rules where the target's file is wrong or lacks the analysis.

    Raises:
        ForgeRefused: the target's commit is not in `cache` and cannot be had.
    """
    own, sha = analysis_of(row), target_sha(row)
    if not row.proposal or sha == row.sha:
        return Ruling(analysis=own, sha=row.sha)
    rule = bridge.settings.project(Project.parse(row.project))
    try:
        file = project_file_at(cache, sha, rule.file if rule else ".reana-bridge.yaml")
    except ConfigurationError:  # the target's file is shown as wrong by its own run
        return Ruling(analysis=replace(own, rules=(), files=()), sha=sha)
    same = [analysis for analysis in (file.analyses if file else ()) if analysis.name == own.name]
    return Ruling(analysis=same[0] if same else replace(own, rules=(), files=()), sha=sha)
