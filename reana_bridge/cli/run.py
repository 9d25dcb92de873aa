"""`reana-bridge run`: the report of a merge request for the working tree, without a server."""

import hashlib
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reana_bridge.cli import snapshot
from reana_bridge.cli.common import (
    ConfigOption,
    Failure,
    JsonOption,
    end_in_order,
    opened,
    parameters_of,
    print_json,
    settings_of,
)
from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.model.suggestions import one_of

if TYPE_CHECKING:
    from reana_bridge.settings import Settings
    from reana_bridge.steps.bridge import Bridge

PROJECT = "work"
_CANCEL_SECONDS = 15.0
_AS_LONG_AS_IT_TAKES = math.inf
"""For a decision: this process makes it itself, and there is nobody else to make it later."""


def command(
    directory: Annotated[Path, typer.Argument(help="The repository's working tree.")] = Path(),
    compare: Annotated[
        str | None, typer.Option("--compare", help="Commit or branch to compare with, such as main.")
    ] = None,
    commit: Annotated[str | None, typer.Option(help="Run this commit instead of the working tree.")] = None,
    analysis: Annotated[str | None, typer.Option(help="Only this analysis.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE over a declared one; repeat.")
    ] = None,
    environment: Annotated[
        Path | None, typer.Option(help="Environment whose programs run; else the active one.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Copy what the run left into this directory.")] = None,
    backend: Annotated[
        str | None, typer.Option(help="Run on this backend of the settings instead of this machine.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Run the working tree's analysis here, and show the report that a merge request would get.

    Example: `reana-bridge run --compare main`
    """
    from rich.console import Console

    from reana_bridge.cli.progress import watch
    from reana_bridge.model.codec import to_data
    from reana_bridge.reports import terminal
    from reana_bridge.steps.manual import Refused

    end_in_order()
    tree = snapshot.top_level(directory)
    state = cache_directory() / "run" / hashlib.sha256(str(tree).encode()).hexdigest()[:16]
    console = Console(stderr=True)
    chosen = (backend, _backend(backend, config)) if backend else ("local", _local(environment))
    with _bridge(_settings(state, *chosen)) as bridge:
        taken = snapshot.take(
            tree, state / "repositories" / f"{tree_name(tree)}.git", commit=commit, compare=compare
        )
        ordered = {"analysis": analysis, "parameters": parameters_of(parameter or [])}
        try:
            runs = _order(bridge, tree_name(tree), taken, ordered)
            reports = [_told(report, compare) for report in watch(bridge, runs, console)]
        except Refused as refused:
            raise Failure(str(refused), status=1) from None
        except KeyboardInterrupt:
            _cancel(bridge)
            raise
        if output:
            _copy(bridge, reports, output)
    if json:
        print_json([to_data(report) for report in reports])
    else:
        for report in reports:
            Console().print(terminal.render(report), crop=False)
    if not all(passed(report) for report in reports):
        raise typer.Exit(1)


def cache_directory() -> Path:
    """Where `run` and `demo` keep environments and results: under XDG_CACHE_HOME, else ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reana-bridge"


def tree_name(tree: Path) -> str:
    """A project path for the working tree: its directory's name, with what may stand in one."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "-" for c in tree.name)
    return safe.strip(".-") or "tree"


def passed(report: Report) -> bool:
    """Whether the report would let a merge request through."""
    blocked = report.comparison is not None and report.comparison.blocked
    return report.state == RunState.FINISHED and not blocked


def _told(report: Report, compare: str | None) -> Report:
    """The report; one without a baseline says how to get one, as nobody asked for any."""
    comparison = report.comparison
    if compare or comparison is None or comparison.baseline is not None:
        return report
    how = "To compare with a branch or commit, add for example --compare main"
    return replace(report, comparison=replace(comparison, no_baseline=how))


def _backend(name: str, config: Path | None) -> dict[str, Any]:
    """The settings of the backend of that name.

    Raises:
        Failure: There is none.
    """
    known = settings_of(config).backends
    if name not in known:
        raise Failure(f"--backend {name}: the settings have no such backend; {one_of(sorted(known))}")
    return known[name].model_dump()


def _local(environment: Path | None) -> dict[str, Any]:
    return {
        "kind": "local",
        "sandbox": "preferred",
        "network": True,
        "host_network": True,
        "tether": True,
        "search_path": search_path(environment),
    }


def _settings(state: Path, backend: str, entry: dict[str, Any]) -> "Settings":
    from reana_bridge.settings import Settings

    state.mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {
            "server": {"log_format": "text", "name": "this-machine", "public_url": ""},
            "database": {"url": f"sqlite:///{state}/bridge.db"},
            "storage": {
                "artifacts": state / "artifacts",
                "runs": state / "runs",
                "repositories": state / "fetched",
                "secrets": state / "secrets",
                "environments": cache_directory() / "environments",
            },
            "forges": {PROJECT: {"kind": "git", "root": state / "repositories"}},
            "backends": {backend: entry},
            "projects": [{"match": f"{PROJECT}:*", "network": True}],
        }
    )


def search_path(environment: Path | None) -> list[Path]:
    """The directories of programs of the given or active environment; empty for the system's own."""
    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    if environment is not None:
        if not (environment / "bin").is_dir():
            raise Failure(f"{environment} is no environment: it has no directory `bin`")
        return [environment.absolute() / "bin"]
    if active:
        return [Path(active) / "bin"]
    prefix = _prefix_of("python3")
    return [] if prefix in (None, Path("/usr"), Path("/")) else [prefix / "bin"]


def _prefix_of(program: str) -> Path | None:
    """Where the python that `program` starts is installed; None where there is none.

    What stands on PATH may be a script that picks one of many versions, which no sandbox can run.
    """
    command = [program, "-c", "import sys; print(sys.prefix)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Path(done.stdout.strip()) if done.returncode == 0 else None


@contextmanager
def _bridge(settings: "Settings") -> Generator["Bridge", None, None]:
    import logging

    from reana_bridge.logs import configure
    from reana_bridge.steps.runtime import Runtime

    configure("text", level=logging.ERROR)
    bridge = opened(settings, exclusive=True)
    runtime = Runtime(bridge, reconcile=False)
    runtime.start()
    try:
        yield bridge
    finally:
        runtime.stop()
        bridge.close()


def _order(bridge: "Bridge", name: str, taken: snapshot.Snapshot, ordered: dict[str, Any]) -> list[str]:
    """Order the baseline where it has no result yet, then the working tree."""
    from reana_bridge.steps import manual

    project = f"{PROJECT}:{name}"
    if taken.compare:
        try:
            manual.start(
                bridge,
                project=project,
                ref=None,
                sha=taken.compare,
                analysis=ordered["analysis"],
                parameters={},
                actor="you",
                again=False,
                wait=_AS_LONG_AS_IT_TAKES,
            )
        except manual.Refused as refused:  # its result is there, or it cannot run: the report says which
            sys.stderr.write(f"  baseline {taken.compare[:7]}: {refused}\n")
    return manual.start(
        bridge,
        project=project,
        ref=snapshot.BRANCH,
        sha=taken.sha,
        actor="you",
        baseline=taken.compare,
        wait=_AS_LONG_AS_IT_TAKES,
        **ordered,
    )


def _cancel(bridge: "Bridge") -> None:
    """End all that runs: of this tree, so also what was ordered and not heard of yet."""
    import time

    from sqlalchemy import select

    from reana_bridge.steps import manual
    from reana_bridge.store.tables import Run

    table: Any = Run
    deadline = time.monotonic() + _CANCEL_SECONDS
    while time.monotonic() < deadline:
        with bridge.database.read() as session:
            live = session.execute(select(table.id).where(table.live_key.is_not(None))).scalars().all()
        if not live:
            return
        for run in live:
            manual.cancel(bridge, run, actor="you")
        time.sleep(0.1)


def _copy(bridge: "Bridge", reports: list[Report], output: Path) -> None:
    for report in reports:
        for artifact in report.result.artifacts if report.result else ():
            target = output / (report.analysis if len(reports) > 1 else "") / artifact.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with bridge.blobs.open(artifact.digest) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
