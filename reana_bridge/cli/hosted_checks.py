"""What `reana-bridge doctor` looks at on GitLab and GitHub: token, clock, limits, and every hook."""

from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reana_bridge.cli.finding import Finding
from reana_bridge.forges.base import ForgeError, ForgeRefused
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.model.projects import Project
from reana_bridge.reports.words import moment
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.hooking import try_hook
from reana_bridge.steps.limiting import limits_now
from reana_bridge.steps.pausing import all_pauses, sentence
from reana_bridge.steps.reconciling.hooks import APP, find_hook, hooks_url
from reana_bridge.store.hooks import hooks_of_forge
from reana_bridge.store.tables import Delivery, Hook, OutboxRow

CLOCK_SECONDS = 60.0
"""How far the forge's clock may be from ours; a signature is refused from 300 seconds on."""

STUCK_SECONDS = 600.0
REFUSED_SECONDS = 86400.0
ARRIVED_SECONDS = 3600.0
"""A delivery that came by a hook so lately proves that it works: no test is sent."""

_delivery, _outbox = cast(Any, Delivery), cast(Any, OutboxRow)


def hosted_forges(bridge: Bridge) -> Iterator[Finding]:
    """Each hosted forge: who we are there, what we may, its clock and limits, its hooks."""
    for forge in bridge.forges.values():
        if is_hosted(forge):
            try:
                yield from _forge(bridge, forge)
                yield from _hooks(bridge, forge)
            except (ForgeError, ForgeRefused) as error:
                yield Finding(f"forge {forge.name}", f"does not answer: {error}")


def waiting(bridge: Bridge) -> Iterator[Finding]:
    """What stands still: pauses, forges that asked us to wait, reports that a forge does not take."""
    with bridge.database.read() as session:
        now = bridge.database.now(session)
        for pause in all_pauses(session):
            text = f"{sentence(pause)} (by {pause.paused_by or 'somebody'}, since {moment(pause.since)})"
            again = f"`reana-bridge resume {pause.kind} {pause.name}` takes it up again"
            yield Finding(f"{pause.kind} {pause.name}", f"{text}; {again}")
        for limit in limits_now(session, now):
            text = f"wants to be left alone until {moment(limit.until or now)}: {limit.reason}"
            yield Finding(f"forge {limit.forge}", text)
        yield from _stuck(session, now)


def _stuck(session: Session, now: float) -> Iterator[Finding]:
    behind = (_outbox.wanted_version > _outbox.posted_version, _outbox.wanted_at < now - STUCK_SECONDS)
    found = select(_outbox.project, func.count(), func.max(_outbox.error)).where(*behind)
    rows = session.execute(found.group_by(_outbox.project).order_by(_outbox.project)).all()
    for project, count, error in rows:
        text = f"{count} reports have not been shown for {STUCK_SECONDS / 60:.0f} min: {error or 'not tried'}"
        again = f"`reana-bridge connect {project}` checks the token's rights"
        yield Finding(f"outbox of {project}", f"{text}; {again}")
    refused = list(_refused(session, now))
    yield from refused
    if not rows and not refused:
        yield Finding("outbox")


def _refused(session: Session, now: float) -> Iterator[Finding]:
    """What a forge has refused for good within a day; forks are expected to, and their notes say it all."""
    done = (_outbox.wanted_version == _outbox.posted_version, _outbox.error != "")
    newest = select(OutboxRow).where(*done, _outbox.wanted_at > now - REFUSED_SECONDS)
    errors: dict[str, list[str]] = {}
    for row in session.execute(newest.order_by(_outbox.wanted_at.desc()).limit(1000)).scalars():
        wanted = cast(dict[str, Any], row.wanted or {})
        if not wanted.get("source_project_id"):
            errors.setdefault(row.project, []).append(row.error)
    for project, said in sorted(errors.items()):
        text = f"{len(said)} reports were refused within a day, the last one so: {said[0]}"
        yield Finding(f"outbox of {project}", text)


def _forge(bridge: Bridge, forge: HostedForge) -> Iterator[Finding]:
    subject = f"forge {forge.name}"
    wrong = forge.check()
    yield from (Finding(subject, problem) for problem in wrong)
    yield Finding(f"{subject}: we are {forge.identity().name}")
    for missing in forge.rights(None):
        if not any(missing in problem for problem in wrong):
            yield Finding(subject, missing)
    offset = forge.clock_offset()
    if offset is not None and abs(offset) > CLOCK_SECONDS and not any("clock" in text for text in wrong):
        text = (
            f"its clock is {offset:+.0f} s off ours: signed deliveries are refused from 300 s on; check NTP"
        )
        yield Finding(f"{subject}: clock", text)
    elif offset is not None and abs(offset) <= CLOCK_SECONDS:
        yield Finding(f"{subject}: clock ({offset:+.1f} s)")
    left = forge.allowance()
    if left is not None:
        low = left.remaining < left.limit / 10
        text = f"only {left.remaining} of {left.limit} calls are left" if low else ""
        yield Finding(f"{subject}: rate limit ({left.remaining} of {left.limit} calls left)", text)


def _hooks(bridge: Bridge, forge: HostedForge) -> Iterator[Finding]:
    with bridge.database.read() as session:
        rows = hooks_of_forge(session, forge.name)
        now = bridge.database.now(session)
        last = {row.id: _last(session, row.id) for row in rows}
    entry = bridge.settings.forges[forge.name]
    if entry.app_id:
        yield _app(bridge, forge)
    elif not rows and not entry.webhook_secrets:
        text = f"no hook leads here; `reana-bridge connect {forge.name}:GROUP/NAME` makes one"
        yield Finding(f"forge {forge.name}: hooks", text)
    healthy: list[Hook] = []
    for row in rows:
        finding = _hook(bridge, forge, row, last[row.id])
        healthy += [] if finding.problem else [row]
        yield finding
    if healthy and max(last[row.id] or 0.0 for row in healthy) < now - ARRIVED_SECONDS:
        step = try_hook(bridge, forge, Project.parse(healthy[0].project), healthy[0])
        yield Finding(f"forge {forge.name}: test delivery", "" if step.good else step.message)


def _app(bridge: Bridge, forge: HostedForge) -> Finding:
    """The one webhook that an App has for all its projects."""
    url = hooks_url(bridge, forge.name)
    hook = next(iter(forge.hooks(Project(forge.name, APP), url)), None)
    if hook is None:
        return Finding(
            f"webhook of the App of {forge.name}", f"does not lead to {url}: set it there on GitHub"
        )
    return Finding(f"webhook of the App of {forge.name}", "; ".join(hook.problems))


def _hook(bridge: Bridge, forge: HostedForge, row: Hook, last: float | None) -> Finding:
    when = f"last delivery {moment(last)}" if last else "nothing has arrived yet"
    subject = f"hook of {row.project} ({when})"
    project = Project.parse(row.project)
    again = f"run `reana-bridge connect {project}`"
    if bridge.settings.project(project) is None:
        text = f"the settings register no such project; `reana-bridge connect --remove {project}` removes it"
        return Finding(subject, text)
    if row.project_id:
        forge.remember(project, row.project_id)
    try:
        found = find_hook(bridge, forge, project, row)
    except ForgeRefused as refused:
        return Finding(subject, f"cannot be looked at: {refused}")
    if found is None:
        return Finding(subject, f"is gone from the forge: {again}")
    if found.disabled:
        until = f" until {moment(found.disabled_until)}" if found.disabled_until else " for good"
        return Finding(subject, f"the forge has disabled it{until} ({found.disabled}): {again}")
    return Finding(subject, f"{'; '.join(found.problems)}: {again}" if found.problems else "")


def _last(session: Session, hook: str) -> float | None:
    found = select(func.max(_delivery.received_at)).where(_delivery.hook == hook)
    return session.execute(found).scalar_one_or_none()
