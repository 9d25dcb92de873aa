"""The hook of a project on a hosted forge: made or repaired, tested, removed.

Promises: a hook has its row before the forge has the hook, so that dying in between leaves nothing that the
next time does not find; what is removed is not trusted any more before the forge is asked to remove it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
from sqlalchemy import delete, select

from reana_bridge.forges.base import ForgeError, ForgeRefused, HookFacts, ProjectFacts
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reconciling.hooks import hooks_url
from reana_bridge.store.hooks import NAME_HEADER, bridge_name, hook_of, hook_secret
from reana_bridge.store.ids import new_id
from reana_bridge.store.tables import Delivery, Hook

ARRIVAL_SECONDS = 15.0
_ANSWER_SECONDS = 10.0
_NO_COMMIT = "at least one commit"  # how GitLab begins to say that it has nothing to send
_hook, _delivery = cast(Any, Hook), cast(Any, Delivery)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was done or looked at.

    Attributes:
        what: A word or two for it.
        good: Whether it is as it should be.
        message: One sentence or two: what is so, and if it is not good, what to do.
    """

    what: str
    good: bool = True
    message: str


def hook_steps(
    bridge: Bridge, forge: HostedForge, project: Project, facts: ProjectFacts, *, rotate: bool, wait: float
) -> Iterator[Step]:
    """Make or repair the hook and let a delivery come by it; arguments and errors as for `connect`."""
    try:
        row, hook, removed, by_hand = _install(bridge, forge, project, facts, rotate=rotate)
    except ForgeRefused as refused:
        _forget_unmade(bridge, project)
        yield Step(what="hook", good=False, message=f"the forge refuses to make it: {refused}")
        return
    how = "signs its deliveries" if hook.signed else "sends a secret"
    new = " a new one, the old is good for an hour more" if rotate else ""
    yield Step(what="hook", message=f"is at {hook.url} and {how}{',' if new else ''}{new}")
    if removed:
        yield Step(what="hook", message=f"{removed} older ones that led to this bridge were removed")
    if by_hand:
        text = f"one made by hand leads to {by_hand} too: everything comes twice and counts once; remove it"
        yield Step(what="hook", message=text)
    yield from (Step(what="hook", good=False, message=problem) for problem in hook.problems)
    yield try_hook(bridge, forge, project, row, wait=wait)


def _install(
    bridge: Bridge, forge: HostedForge, project: Project, facts: ProjectFacts, *, rotate: bool
) -> tuple[Hook, HookFacts, int, str]:
    """The row, the hook as the forge has it, how many old ones were removed, the URL of one made by hand."""
    row = _row(bridge, project, facts, rotate=rotate)
    url = hooks_url(bridge, project.forge)
    there = forge.hooks(project, url)
    ours = [hook for hook in there if hook.url == f"{url}/{row.id}"]
    kept = next((hook.id for hook in ours if hook.id == row.remote_id), ours[0].id if ours else None)
    secret = hook_secret(bridge.server_key, row.forge, row.id, row.generation)
    hook = _installed(forge, project, f"{url}/{row.id}", secret, kept, row.remote_id)
    with bridge.database.transaction() as session:
        current = session.get_one(Hook, row.id)
        current.remote_id, current.signed, current.problem = hook.id, hook.signed, ""
    stale = [other for other in there if other.url.startswith(f"{url}/") and other.id != hook.id]
    for other in stale:
        forge.remove_hook(project, other.id)
    by_hand = next((other.url for other in there if other.url.rstrip("/") == url), "")
    return row, hook, len(stale), by_hand


def _forget_unmade(bridge: Bridge, project: Project) -> None:
    """Take back the row of a hook that the forge refused: there is nothing to look after."""
    with bridge.database.transaction() as session:
        unmade = (_hook.forge == project.forge, _hook.project == str(project), _hook.remote_id == "")
        session.execute(delete(Hook).where(*unmade))


def _installed(
    forge: HostedForge, project: Project, url: str, secret: str, kept: str | None, former: str
) -> HookFacts:
    """Make the hook; one that led to this server under another address before is led here."""
    if kept is None and former:
        try:
            return forge.install_hook(project, url, secret, former)
        except ForgeRefused:  # gone from the forge
            return forge.install_hook(project, url, secret, None)
    return forge.install_hook(project, url, secret, kept)


def _row(bridge: Bridge, project: Project, facts: ProjectFacts, *, rotate: bool) -> Hook:
    """The project's hook row, made where there is none; found by the forge's id after a renaming."""
    with bridge.database.transaction() as session:
        now = bridge.database.now(session)
        row = hook_of(session, project)
        if row is None:
            same = select(Hook).where(_hook.forge == project.forge, _hook.project_id == facts.id)
            row = session.execute(same).scalars().first()
        if row is None:
            row = Hook(id=new_id(), forge=project.forge, project=str(project), made_at=now)
            session.add(row)
        elif rotate:
            row.generation, row.rotated_at = row.generation + 1, now
        row.project, row.project_id = str(project), facts.id
        session.flush()
        return row


def try_hook(
    bridge: Bridge, forge: HostedForge, project: Project, row: Hook, *, wait: float = ARRIVAL_SECONDS
) -> Step:
    """Let the forge send something by the hook, and see whether it arrives within `wait` seconds."""
    site = bridge.address
    problem = unreachable(site)
    if problem:
        return Step(what="test delivery", good=False, message=f"not tried: {problem}")
    with bridge.database.read() as session:
        remote = session.get_one(Hook, row.id).remote_id
        since = bridge.database.now(session)
    said = ""
    try:
        forge.test_hook(project, remote)
    except (ForgeError, ForgeRefused) as error:
        said, wait = str(error), min(wait, 1.0)
    until = time.monotonic() + wait
    while True:
        with bridge.database.read() as session:
            if session.execute(_arrived(row.id, since)).scalar_one_or_none():
                return Step(what="test delivery", message="sent by the forge and arrived")
        if time.monotonic() >= until:
            break
        time.sleep(0.1)
    if _NO_COMMIT in said:
        text = f"not tried: {project} has no commit yet. After the first push `connect` can be run again"
        return Step(what="test delivery", good=False, message=text)
    text = f"none arrived{said and f' ({said})'}: the forge has to reach {site}/webhooks/, "
    return Step(what="test delivery", good=False, message=f"{text}and a proxy has to pass it on whole")


def _arrived(hook: str, since: float) -> Any:
    return select(_delivery.id).where(_delivery.received_at >= since, _delivery.hook == hook).limit(1)


def removed_hook(bridge: Bridge, forge: HostedForge, project: Project) -> Step:
    """Stop to trust the project's hook, then take it away from the forge."""
    with bridge.database.transaction() as session:
        known = hook_of(session, project)
        if known is not None:
            session.execute(delete(Hook).where(_hook.id == known.id))
    url = hooks_url(bridge, project.forge)
    ours = [hook for hook in forge.hooks(project, url) if hook.url.startswith(f"{url}/")]
    for hook in ours:
        forge.remove_hook(project, hook.id)
    if known is not None and known.remote_id and known.remote_id not in {hook.id for hook in ours}:
        forge.remove_hook(project, known.remote_id)  # one that leads to where this server was before
    return Step(what="hook", message="removed" if ours or known else "there was none")


def unreachable(site: str) -> str:
    """Why the bridge does not answer at its public address, seen from here; empty when it does."""
    try:
        answer = httpx.get(f"{site}/healthz", timeout=_ANSWER_SECONDS)
    except httpx.HTTPError as error:
        return f"the bridge does not answer at {site} ({error}); start it with `reana-bridge serve`"
    if answer.status_code != 200:
        return f"{site}/healthz answers {answer.status_code}: does server.public_url lead to this bridge?"
    return ""


def another_bridge(site: str, server_key: bytes) -> str:
    """What is wrong where the server at its public address is not the one of these settings; else empty.

    A command that runs in another directory makes a database and a key of its own there: hooks made with
    it would lead to a server that knows nothing of them. A server that does not answer is not doubted.
    """
    try:
        answer = httpx.get(f"{site}/healthz", timeout=_ANSWER_SECONDS)
    except httpx.HTTPError:
        return ""
    name = bridge_name(server_key)
    if answer.headers.get(NAME_HEADER, name) == name:
        return ""
    return (
        f"the server at {site} has another key in its storage.secrets than this command, so it would refuse "
        "the deliveries; run the command where the server was started (relative paths begin there)"
    )
