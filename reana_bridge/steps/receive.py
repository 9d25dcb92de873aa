"""Receive: verify a webhook request and put it into the inbox.

Promises: nothing unverified is stored or parsed; without a secret everything is refused; a hook that
`connect` made is believed only what it says of its own project; the answer comes after the delivery is on
disk; neither tokens nor signatures are kept.
"""

import asyncio
import time
from collections.abc import Mapping

from reana_bridge.crashpoints import reach
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.hooks import valid_secrets
from reana_bridge.store.inbox import Incoming, Stored
from reana_bridge.store.tables import Hook, ProjectRow
from webhooks.events import Event
from webhooks.kinds import KINDS, Kind, harmless
from webhooks.signatures import Unverified

_MAXIMUM_ID = 64
_LARGE = 256 * 1024
"""Bytes of a body from which on it is parsed in a thread, so that other senders do not wait."""


class UnknownForge(Exception):
    """No forge of that name takes webhooks here."""


async def receive(bridge: Bridge, forge: str, hook: str, headers: Mapping[str, str], body: bytes) -> Stored:
    """Store an authentic delivery.

    Args:
        bridge: Settings, hooks and inbox.
        forge: The forge's configured name, from the URL.
        hook: Which of its hooks; empty for the forge's own.
        headers: As received.
        body: As received, within the size limit.

    Raises:
        UnknownForge: There is no such forge.
        Unverified: It is not authentic, the forge has no secret, or the hook is another project's.
        InboxFull: Too many deliveries wait.
        InboxFailed: The database did not take it.
    """
    settings = bridge.settings.forges.get(forge)
    if settings is None or settings.kind not in KINDS:
        raise UnknownForge(f"no forge {forge!r} takes webhooks here")
    kind = KINDS[settings.kind]
    row = await _row(bridge, forge, hook) if hook else None
    if row is None:
        # Not one of ours, or one that was removed: then it knows none of the forge's own secrets.
        secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
        if not secrets:
            raise Unverified(
                f"the forge {forge} has no webhook secret in the settings, so its hooks are refused"
            )
        kind.verify(headers, body, secrets=secrets, now=time.time())
    else:
        row = await _verified(bridge, kind, row, headers, body)
        await _check_project(bridge, kind, row, headers, body)
    incoming = Incoming(
        forge=forge,
        hook=hook,
        delivery_id=kind.delivery_id(headers, body),
        headers=harmless(kind, headers),
        body=body,
    )
    reach("receive.verified")
    stored = await bridge.inbox.put(incoming)
    reach("receive.stored")
    return stored


async def _row(bridge: Bridge, forge: str, hook: str) -> Hook | None:
    """The row of a hook that `connect` made; None for the forge's own and for any other."""
    if len(hook) > _MAXIMUM_ID or not (hook.isascii() and hook.isalnum()):
        return None
    known = bridge.hooks.recent(forge, hook)
    return known or await asyncio.to_thread(bridge.hooks.read, forge, hook)


async def _verified(bridge: Bridge, kind: Kind, row: Hook, headers: Mapping[str, str], body: bytes) -> Hook:
    """The row by whose secrets the delivery is authentic; read anew where the one in memory says no."""
    now = time.time()
    try:
        kind.verify(headers, body, secrets=valid_secrets(bridge.server_key, row, now), now=now)
        return row
    except Unverified:
        # It may have been given a new secret a moment ago, by another process.
        fresh = await asyncio.to_thread(bridge.hooks.read, row.forge, row.id)
        if fresh is None or fresh.generation == row.generation:
            raise
    kind.verify(headers, body, secrets=valid_secrets(bridge.server_key, fresh, now), now=now)
    return fresh


async def _check_project(
    bridge: Bridge, kind: Kind, hook: Hook, headers: Mapping[str, str], body: bytes
) -> None:
    """Refuse what a hook says of another project than its own."""
    if len(body) < _LARGE:
        event = kind.parse(headers, body)
    else:
        event = await asyncio.to_thread(kind.parse, headers, body)
    about = _is_about(event, hook)
    if about and event.project and not _is_named(event, hook):
        # Renamed, or forged by somebody who may write the hook's template.
        about = not await asyncio.to_thread(_is_anothers, bridge, event, hook)
    if not about:
        raise Unverified(
            f"the hook {hook.id} of {hook.project} brought an event of the project {event.project[:200]!r} "
            f"(id {event.project_id[:50]!r}): a hook speaks for its own project only"
        )


def _is_about(event: Event, hook: Hook) -> bool:
    """Whether the event is of the hook's project, or of none at all as a ping may be."""
    if event.project_id and hook.project_id:
        return event.project_id == hook.project_id
    return not event.project or _is_named(event, hook)


def _is_named(event: Event, hook: Hook) -> bool:
    return event.project.casefold() == Project.parse(hook.project).path.casefold()


def _is_anothers(bridge: Bridge, event: Event, hook: Hook) -> bool:
    """Whether the path is that of a project which we know under another id."""
    with bridge.database.read() as session:
        named = session.get(ProjectRow, f"{hook.forge}:{event.project}")
    return named is not None and named.forge_id != hook.project_id
