"""`reana-bridge doctor`: does the set-up work, and what to do where it does not."""

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json, settings_of
from reana_bridge.cli.finding import Finding

if TYPE_CHECKING:
    from reana_bridge.steps.bridge import Bridge


def command(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Check settings, database, disks, forges, backends and reachability; say what to do.

    Example: `reana-bridge doctor`
    """
    from reana_bridge.cli.hosted_checks import hosted_forges, waiting

    findings = [Finding("settings")]
    try:
        settings_of(config)
        with bridge_of(config) as bridge:
            for look in (_database, _disks, _forges, hosted_forges, waiting, _backends, _server):
                findings += _guarded(look, bridge)
    except Failure as failure:
        findings.append(Finding("set-up", str(failure)))
    if json:
        print_json([{"subject": f.subject, "problem": f.problem} for f in findings])
    else:
        for finding in findings:
            mark = "wrong" if finding.problem else "ok   "
            typer.echo(f"{mark}  {finding.subject}" + (f": {finding.problem}" if finding.problem else ""))
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _guarded(look: Callable[["Bridge"], Iterator[Finding]], bridge: "Bridge") -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(look(bridge))
    except Exception as error:  # the point of a check-up is to name what fails, whatever it is
        found.append(Finding(look.__name__.strip("_"), f"{type(error).__name__}: {error}"))
    return found


def _database(bridge: "Bridge") -> Iterator[Finding]:
    from reana_bridge.store.schema import HEAD, current

    at = current(bridge.database)
    kind = "SQLite" if bridge.database.is_sqlite else "PostgreSQL"
    problem = "" if at == HEAD else f"is at revision {at}, not {HEAD}; run `reana-bridge db upgrade`"
    yield Finding(f"database ({kind})", problem)


def _disks(bridge: "Bridge") -> Iterator[Finding]:
    storage = bridge.settings.storage
    for name in ("artifacts", "runs", "repositories", "environments", "secrets"):
        path = getattr(storage, name)
        path.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path).free
        least = storage.minimum_free
        yield Finding(f"storage.{name} ({path})", "" if free >= least else f"only {free} bytes are free")


def _forges(bridge: "Bridge") -> Iterator[Finding]:
    from reana_bridge.forges.hosted import is_hosted

    if not bridge.forges:
        example = '[forges.local]\n    kind = "git"\n    root = "/srv/git"'
        yield Finding(
            "forges", f"there is none, so nothing will ever be delivered; for example:\n    {example}"
        )
    for name, forge in bridge.forges.items():
        problems = [] if is_hosted(forge) else forge.check()
        entry = bridge.settings.forges[name]
        if not entry.webhook_secrets and (not is_hosted(forge) or entry.app_id):
            problems.append("has no webhook_secrets: its hooks are refused")
        yield from ([Finding(f"forge {name}", p) for p in problems] or [Finding(f"forge {name}")])
    if bridge.forges and not bridge.settings.projects:
        yield Finding("projects", 'none is registered; for example:\n    [[projects]]\n    match = "local:*"')


def _backends(bridge: "Bridge") -> Iterator[Finding]:
    for name, backend in bridge.backends.items():
        problems = backend.check()
        yield from ([Finding(f"backend {name}", p) for p in problems] or [Finding(f"backend {name}")])
        describe: Callable[[], list[str]] = getattr(backend, "describe", list[str])
        yield from (Finding(f"backend {name}: {line}") for line in describe())


def _server(bridge: "Bridge") -> Iterator[Finding]:
    import httpx

    from reana_bridge.steps.hooking import another_bridge

    url = bridge.address
    for path, words in (("/healthz", "answers"), ("/readyz", "is ready")):
        try:
            answer = httpx.get(f"{url}{path}", timeout=10)
            problem = "" if answer.status_code == 200 else f"{answer.status_code}: {answer.text[:500]}"
        except httpx.HTTPError as error:
            problem = f"{error}; start it with `reana-bridge serve`, or set server.public_url"
        yield Finding(f"server {url} {words}", problem)
    other = another_bridge(url, bridge.server_key)
    if other:
        yield Finding(f"server {url} is this bridge", other)
