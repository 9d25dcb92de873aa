"""What the steps read of a commit: its specification and its project file, at exactly that commit."""

from dataclasses import replace
from pathlib import Path

from reana_bridge.forges.source import read_file
from reana_bridge.model.analyses import Analysis, ProjectFile
from reana_bridge.model.bridge_yaml import default_project_file
from reana_bridge.model.bridge_yaml import parse as parse_project_file
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.projects import Project
from reana_bridge.model.reana_yaml import parse as parse_specification
from reana_bridge.model.specification import Specification
from reana_bridge.model.yamlfile import Document, Reading, load, path_of
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.store.tables import Run

FILE_LIMIT = 1 << 20
SPECIFICATION = "reana.yaml"
"""The file that is enough alone."""


def fetched(bridge: Bridge, project: Project, *shas: str) -> Path:
    """The cache on this host, with these commits in it: another host may have decided and run.

    Raises:
        CommitGone: The forge has one of them no more.
        ForgeError: Not now.
    """
    cache = bridge.cache(project)
    for sha in dict.fromkeys(shas):
        bridge.forges[project.forge].fetch(project, sha, cache)
    return cache


def project_file_at(cache: Path, sha: str, name: str) -> ProjectFile | None:
    """The project file at a commit; the default one where only `reana.yaml` is there, None without both.

    Args:
        cache: The bare repository that holds the commit.
        sha: The commit.
        name: The file's name by the server's settings.

    Raises:
        ConfigurationError: The file is wrong.
    """
    text = read_file(cache, sha, name, FILE_LIMIT)
    if text is not None:
        return parse_project_file(text, file=name)
    if read_file(cache, sha, SPECIFICATION, FILE_LIMIT) is not None:
        return default_project_file()
    return None


def specification_of(
    bridge: Bridge, run: Run, analysis: Analysis
) -> tuple[Specification, tuple[Problem, ...]]:
    """The run's specification with its parameters put in, and warnings on it.

    Raises:
        ConfigurationError: It is not there, or wrong.
    """
    cache = bridge.cache(Project.parse(run.project))
    return specification_at(cache, run.sha, analysis, run.parameters or {})


def placed(bridge: Bridge, run: Run, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """What a backend found wrong with the run's specification, with the file and the line of each key."""
    unplaced = [one for one in problems if one.file == SPECIFICATION and one.key and one.line is None]
    file, cache = analysis_of(run).file, bridge.cache(Project.parse(run.project))
    text = read_file(cache, run.sha, file, FILE_LIMIT) if unplaced else None
    if text is None:
        return problems
    document = load(text, file=file, reading=Reading.REANA)
    return tuple(_placed(document, one) if one in unplaced else one for one in problems)


def _placed(document: Document, problem: Problem) -> Problem:
    line, column = document.place(path_of(problem.key))
    return replace(problem, file=document.file, line=line, column=column)


def specification_at(
    cache: Path, sha: str, analysis: Analysis, parameters: dict[str, object]
) -> tuple[Specification, tuple[Problem, ...]]:
    """The analysis' specification at a commit, with `parameters` over the analysis' own.

    Raises:
        ConfigurationError: It is not there, or wrong.
    """
    text = read_file(cache, sha, analysis.file, FILE_LIMIT)
    if text is None:
        problem = Problem(
            message=f"there is no such file, but the analysis `{analysis.name}` is to run it",
            file=analysis.file,
            hint="add it, or name another one with `file:`",
        )
        raise ConfigurationError((problem,))
    return parse_specification(text, file=analysis.file, parameters={**analysis.parameters, **parameters})
