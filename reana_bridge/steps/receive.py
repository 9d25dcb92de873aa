"""Receive: verify a webhook request and put it into the inbox.

Promises: nothing unverified is stored or parsed; without a configured secret everything is refused;
the answer comes after the delivery is on disk; neither tokens nor signatures are kept.
"""

import time
from collections.abc import Mapping

from reana_bridge.crashpoints import reach
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.inbox import Incoming, Stored
from webhooks.kinds import KINDS, harmless
from webhooks.signatures import Unverified


class UnknownForge(Exception):
    """No forge of that name takes webhooks here."""


async def receive(bridge: Bridge, forge: str, hook: str, headers: Mapping[str, str], body: bytes) -> Stored:
    """Store an authentic delivery.

    Args:
        bridge: Settings and inbox.
        forge: The forge's configured name, from the URL.
        hook: Which of its hooks; empty for the forge's own.
        headers: As received.
        body: As received, within the size limit.

    Raises:
        UnknownForge: There is no such forge.
        Unverified: It is not authentic, or the forge has no secret.
        InboxFull: Too many deliveries wait.
        InboxFailed: The database did not take it.
    """
    settings = bridge.settings.forges.get(forge)
    if settings is None or settings.kind not in KINDS:
        raise UnknownForge(f"no forge {forge!r} takes webhooks here")
    kind = KINDS[settings.kind]
    secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
    if not secrets:
        raise Unverified(f"the forge {forge} has no webhook secret in the settings, so its hooks are refused")
    kind.verify(headers, body, secrets=secrets, now=time.time())
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
