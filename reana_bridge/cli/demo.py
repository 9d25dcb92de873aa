"""`reana-bridge demo`: a repository, a server, three pushes, three reports."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from reana_bridge.cli.common import Failure, bridge_of, end_in_order
from reana_bridge.cli.run import cache_directory
from reana_bridge.demo.repository import GitFailed, Repository
from reana_bridge.demo.server import FORGE, DemoServer, NotStarted, demo_server
from reana_bridge.model.runs import RunState

if TYPE_CHECKING:
    from reana_bridge.steps.bridge import Bridge

PATH = "example/measurement"


@dataclass(frozen=True)
class _Push:
    """One push of the demo: a branch, what is changed in it, and how its run is meant to end."""

    branch: str
    message: str
    edit: Callable[[Path], Any]
    ends: RunState
    words: str


def command() -> None:
    """Show the whole way once: three real pushes to a repository of its own, and their reports.

    Example: `reana-bridge demo`
    """
    from rich.console import Console

    from reana_bridge.demo import variants

    pushes = [
        _Push("main", "A measurement of the signal strength", variants.write_analysis, RunState.FINISHED,
              "the analysis as it is"),
        _Push("tighter-selection", "Select more tightly", variants.change_selection, RunState.FINISHED,
              "a change of the selection"),
        _Push("broken-fit", "Rename a column", variants.break_fit, RunState.FAILED,
              "an honest mistake that breaks the fit"),
    ]  # fmt: skip
    end_in_order()
    console = Console()
    place = Path(tempfile.mkdtemp(prefix="reana-bridge-demo-"))
    try:
        environments = cache_directory() / "environments"
        console.print("Starting a bridge of its own ...")
        with demo_server(place, requirements=variants.REQUIREMENTS, environments=environments) as server:
            console.print(f"It serves at {server.url} (SQLite, local backend).")
            _show(console, server, place, pushes)
    except (NotStarted, GitFailed) as error:
        raise Failure(str(error)) from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _show(console: Any, server: DemoServer, place: Path, pushes: list[_Push]) -> None:
    from reana_bridge.forges import git_hook

    repository = Repository(server.git / f"{PATH}.git", place / "copy")
    url = f"{server.url}/webhooks/{FORGE}"
    git_hook.install(repository.bare, url=url, project=PATH, secret=server.secret)
    console.print(f"The repository is {repository.bare}; its hook tells the bridge of pushes.\n")
    wrong: list[str] = []
    with bridge_of(server.config) as bridge:
        for push in pushes:
            wrong += _push(console, bridge, repository, push)
    if wrong:
        raise Failure("; ".join(wrong), status=1)
    if sys.stdin.isatty() and sys.stdout.isatty():
        _stay(console, server, repository, place)


def _push(console: Any, bridge: "Bridge", repository: Repository, push: _Push) -> list[str]:
    """Push, follow, report; what did not end as it was meant to."""
    from reana_bridge.cli.progress import watch
    from reana_bridge.reports import terminal

    console.rule(f"git push origin {push.branch}: {push.words}", align="left")
    if push.branch != "main":
        repository.branch(push.branch)
    push.edit(repository.copy)
    sha = repository.commit(push.message)
    if push.branch != "main":
        console.print(_indented(repository.changes()), markup=False, highlight=False, style="dim")
    console.print(_indented(repository.push(push.branch)), markup=False, highlight=False)
    reports = watch(bridge, _runs_of(bridge, sha), console)
    for report in reports:
        console.print(terminal.render(report), crop=False)
        console.print()
    return [
        f"the run of {push.branch} {report.state}, it was to be {push.ends}"
        for report in reports
        if report.state != push.ends
    ]


def _runs_of(bridge: "Bridge", sha: str) -> list[str]:
    from sqlalchemy import select

    from reana_bridge.store.tables import Decision

    table = cast(Any, Decision)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with bridge.database.read() as session:
            decision = session.execute(select(Decision).where(table.sha == sha)).scalars().first()
        if decision is not None:
            analyses: list[dict[str, str]] = decision.analyses or []
            runs = [each["run"] for each in analyses if each["run"]]
            if not runs:
                raise Failure(f"nothing runs for {sha[:7]}: {decision.reason}", status=1)
            return runs
        time.sleep(0.05)
    raise Failure(f"the push of {sha[:7]} did not reach the bridge within 30 s", status=1)


def _indented(text: str) -> str:
    return "\n".join(f"  {line.rstrip()}" for line in text.splitlines() if line.strip())


def _stay(console: Any, server: DemoServer, repository: Repository, place: Path) -> None:
    token = (place / "secrets" / "operator.token").read_text(encoding="ascii").strip()
    console.rule("The server stays up", align="left")
    console.print(f"Pages:  {server.url}   (sign in with the token {token})", soft_wrap=True)
    console.print(
        f"Try it: cd {repository.copy} && git switch main, change something, git push", soft_wrap=True
    )
    console.print(f"Notes:  git -C {repository.bare} log --notes=reana-bridge --all", soft_wrap=True)
    console.print("Ctrl-C ends it and leaves nothing behind.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("\nThe bridge stops.")
