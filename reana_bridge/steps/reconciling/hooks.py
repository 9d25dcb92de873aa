"""Hooks that `connect` made, as the forge has them: alive, as we made them, and what they failed to bring.

Promises: a disabled, altered or missing hook is named on its row and in the log, with what mends it; a
disabled one is tried again by a test delivery, which enables it; what failed is asked for again, a few
deliveries at a time. Where that cannot be done, heads are compared anyway.
"""

from dataclasses import dataclass

import structlog

from reana_bridge.forges.base import FailedDelivery, ForgeError, ForgeRefused, HookFacts, RateLimited
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.projects import Project
from reana_bridge.reports.words import moment
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.hooks import hook_of
from reana_bridge.store.tables import Hook

RESENT_AT_ONCE = 5
"""Deliveries asked for again at one look; GitLab takes no more in a minute."""

OVERLAP_SECONDS = 120.0
"""A forge lists a failed delivery only when it has given up on it."""

APP = "app"
APP_SECONDS = 86400.0
"""How far back the first look of a process goes: further than a restart takes."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Health:
    """What a look at a hook found.

    Attributes:
        problem: What is wrong, and what to do; empty when all is well.
        looked_at: Until when failed deliveries have been dealt with, UTC seconds.
        remote_id: The forge's own id of the hook; empty where it has none.
    """

    problem: str = ""
    looked_at: float
    remote_id: str = ""


def hooks_url(bridge: Bridge, forge: str) -> str:
    """Where the forge's deliveries go; a hook's own address has its id behind it."""
    return f"{bridge.address}/webhooks/{forge}"


def look_at_hook(bridge: Bridge, forge: HostedForge, project: Project) -> bool:
    """Look at the project's hook, if `connect` made one; write down and do what can be done.

    Returns:
        Whether there is more to ask for than was asked at once, so that another look should come soon.

    Raises:
        RateLimited: The forge wants to be left alone.
        ForgeError: It did not answer.
    """
    with bridge.database.read() as session:
        row = hook_of(session, project)
        now = bridge.database.now(session)
    if row is None:
        return False
    health = _look(bridge, forge, project, row, now)
    if health.problem and health.problem != row.problem:
        _log.error("hook.problem", project=str(project), hook=row.id, problem=health.problem)
    elif row.problem and not health.problem:
        _log.info("hook.recovered", project=str(project), hook=row.id, was=row.problem)
    with bridge.database.transaction() as session:
        current = session.get(Hook, row.id)
        if current is not None:
            current.problem, current.looked_at = health.problem, health.looked_at
            current.remote_id = health.remote_id or current.remote_id
    return not health.problem and health.looked_at < now


def _look(bridge: Bridge, forge: HostedForge, project: Project, row: Hook, now: float) -> Health:
    since = (row.looked_at or row.made_at) - OVERLAP_SECONDS
    again = f"run `reana-bridge connect {project}`"
    try:
        found = find_hook(bridge, forge, project, row)
        if found is None:
            return Health(problem=f"the hook is gone from the forge: {again}", looked_at=now)
        if found.disabled:
            return _disabled(bridge, forge, project, found, row, now)
        resent_until = _resend(bridge, forge, project, found, since, now)
    except ForgeRefused as refused:
        return Health(problem=f"the hook cannot be looked after: {refused}", looked_at=row.looked_at or now)
    problem = f"{'; '.join(found.problems)}: {again}" if found.problems else ""
    return Health(problem=problem, looked_at=resent_until, remote_id=found.id)


def look_at_app(bridge: Bridge, forge: HostedForge, since: float | None) -> float:
    """Ask for what the App's own webhook failed to bring, for all projects at once.

    Args:
        bridge: Settings and database.
        forge: One that is used as an App.
        since: What the last look returned; None at the first.

    Returns:
        Until when failed deliveries have been dealt with, UTC seconds.

    Raises:
        RateLimited: The forge wants to be left alone.
        ForgeError: It did not answer.
        ForgeRefused: The App may not look.
    """
    with bridge.database.read() as session:
        now = bridge.database.now(session)
    everything = Project(forge.name, APP)  # no project of that name is ever remembered, so all are meant
    url = hooks_url(bridge, forge.name)
    hook = next(iter(forge.hooks(everything, url)), None)
    if hook is None:
        _log.error("hook.problem", project="", hook=APP, problem=f"the App's webhook does not lead to {url}")
        return now
    start = now - APP_SECONDS if since is None else since - OVERLAP_SECONDS
    return _resend(bridge, forge, everything, hook, start, now)


def find_hook(bridge: Bridge, forge: HostedForge, project: Project, row: Hook) -> HookFacts | None:
    """The hook that leads to the row's own address; None where the forge has none (any more)."""
    url = hooks_url(bridge, project.forge)
    ours = [hook for hook in forge.hooks(project, url) if hook.url.rstrip("/") == f"{url}/{row.id}"]
    return next((hook for hook in ours if hook.id == row.remote_id), ours[0] if ours else None)


def _disabled(
    bridge: Bridge, forge: HostedForge, project: Project, hook: HookFacts, row: Hook, now: float
) -> Health:
    """Enable the hook by a test delivery, and ask for what failed meanwhile."""
    looked_at = row.looked_at or row.made_at
    until = f" until {moment(hook.disabled_until)}" if hook.disabled_until else " for good"
    problem = f"the forge has disabled the hook{until} ({hook.disabled})"
    hint = f"run `reana-bridge connect {project}`"
    if bridge.settings.server.shadow:
        return Health(problem=f"{problem}; {hint}", looked_at=looked_at, remote_id=hook.id)
    after = None
    try:
        forge.test_hook(project, hook.id)
        after = find_hook(bridge, forge, project, row)
    except RateLimited:
        raise
    except (ForgeError, ForgeRefused) as error:
        hint = f"a test delivery did not help: {error}. Check that the forge reaches server.public_url"
    if after is not None and not after.disabled:
        _log.warning("hook.enabled", project=str(project), hook=hook.id, was=problem)
        until = _resend(bridge, forge, project, hook, looked_at - OVERLAP_SECONDS, now)
        return Health(looked_at=until, remote_id=hook.id)
    return Health(problem=f"{problem}; {hint}", looked_at=looked_at, remote_id=hook.id)


def _resend(
    bridge: Bridge, forge: HostedForge, project: Project, hook: HookFacts, since: float, now: float
) -> float:
    """Ask for failed deliveries again, the oldest first; until when they have been dealt with."""
    if bridge.settings.server.shadow:
        return now  # a rehearsal asks nothing of the forge; it compares heads all the same
    failed = sorted(forge.failed_deliveries(project, hook.id, since), key=lambda delivery: delivery.at)
    until = now
    for number, delivery in enumerate(failed[: RESENT_AT_ONCE + 1]):
        # One that fails again and again must not hold up those after it.
        if number == RESENT_AT_ONCE or not _sent_again(forge, project, hook, delivery):
            until = min(until, delivery.at)
    return until


def _sent_again(forge: HostedForge, project: Project, hook: HookFacts, delivery: FailedDelivery) -> bool:
    """Whether that is dealt with: a forge that did not answer is asked at the next look."""
    about = {"project": str(project), "delivery": delivery.id, "what": delivery.event}
    try:
        forge.resend(project, hook.id, delivery.id)
    except RateLimited:
        raise
    except ForgeRefused as refused:
        # Too old, or a forge without resending: the heads are compared anyway.
        _log.info("hook.not_resent", **about, why=str(refused))
        return True
    except ForgeError as error:
        _log.warning("hook.not_resent", **about, why=str(error))
        return False
    _log.warning("hook.resent", **about, status=delivery.status)
    return True
