"""Brings webhooks to their receivers as GitLab does: signed, once, with a memory of who did not answer.

Each hook's deliveries go out in order, different hooks do not wait for each other for long. A failed
delivery is not repeated, it is remembered as an event; hooks that fail again and again are disabled.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from uuid import uuid4

import httpx

from reana_bridge.testing.delivering import Sender
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import Hook, HookEvent, Project
from reana_bridge.testing.state import Build

EVENTS = {
    "push_events": "Push Hook",
    "tag_push_events": "Tag Push Hook",
    "merge_requests_events": "Merge Request Hook",
    "note_events": "Note Hook",
    "confidential_note_events": "Confidential Note Hook",
    "pipeline_events": "Pipeline Hook",
}
"""What a hook is subscribed to -> the value of `X-Gitlab-Event`."""

FAILURES_TO_DISABLE = 4
FAILURES_FOR_GOOD = 40
FIRST_BACKOFF, LONGEST_BACKOFF = 60.0, 86400.0
INTERNAL_ERROR = "internal error"
_KEPT_BODY = 8192


def signature(signing_token: str, delivery: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature` for a hook with this `whsec_...` token."""
    key = base64.b64decode(signing_token.removeprefix("whsec_"), validate=True)
    digest = hmac.new(key, f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def usable_signing_token(value: str) -> bool:
    """Whether it is `whsec_` and 32 bytes in base64."""
    try:
        return value.startswith("whsec_") and len(base64.b64decode(value[6:], validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


class Deliveries(Sender[Hook, HookEvent]):
    """Sends for one instance.

    Attributes:
        disabling: Whether hooks that fail are disabled, as on GitLab.com.
    """

    lanes = 4

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self._instance = instance
        self.disabling = True
        instance.fire = self.fire

    def fire(self, project: Project, trigger: str, build: Build) -> None:
        """Send to every hook of the project that is subscribed and not disabled; the lock is held."""
        hooks = [hook for hook in project.hooks.values() if hook.settings.get(trigger)]
        hooks = [hook for hook in hooks if not self.disabled(hook)]
        self._due(lambda: self._send_all(hooks, trigger, build))

    def _send_all(self, hooks: list[Hook], trigger: str, build: Build) -> None:
        hooks = [hook for hook in hooks if not self._is_dropped()]
        if not hooks:
            return
        body = json.dumps(build()).encode()
        for hook in hooks:
            self._queue(lambda client, hook=hook: self._attempt(client, hook, trigger, body, None), hook.id)

    def disabled(self, hook: Hook) -> bool:
        """Whether the hook is not used now."""
        until = hook.disabled_until
        return hook.failures >= FAILURES_FOR_GOOD or (until is not None and until > self._instance.clock())

    def send_now(self, hook: Hook, trigger: str, body: bytes, delivery: str | None = None) -> HookEvent:
        """Send at once, disabled or not, and wait for the answer; without the lock held."""
        with httpx.Client(timeout=self.seconds, trust_env=False) as client:
            return self._attempt(client, hook, trigger, body, delivery)

    def headers(self, hook: Hook, trigger: str, body: bytes, delivery: str) -> dict[str, str]:
        """The headers of one attempt; `delivery` is the same for every attempt at the same delivery."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"GitLab/{self._instance.version}",
            "X-Gitlab-Event": EVENTS[trigger],
            "X-Gitlab-Webhook-UUID": str(uuid4()),
            "X-Gitlab-Instance": self._instance.url,
            "X-Gitlab-Event-UUID": str(uuid4()),
        }
        if self._instance.release >= (17, 4):
            headers["Idempotency-Key"] = delivery
        if hook.token:
            headers["X-Gitlab-Token"] = hook.token
        if self._instance.release >= (19, 0):
            now = int(self._instance.clock())
            headers |= {"webhook-id": delivery, "webhook-timestamp": str(now)}
            if hook.signing_token:
                headers["webhook-signature"] = signature(hook.signing_token, delivery, now, body)
        return headers

    def _attempt(
        self, client: httpx.Client, hook: Hook, trigger: str, body: bytes, delivery: str | None
    ) -> HookEvent:
        headers = self.headers(hook, trigger, body, delivery or str(uuid4()))
        url, began = hook.url, time.monotonic()
        try:
            answer = client.post(url, content=body, headers=headers)
            status, text, returned = str(answer.status_code), answer.text[:_KEPT_BODY], dict(answer.headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            status, text, returned = INTERNAL_ERROR, str(error), {}
        with self._instance.lock:
            event = HookEvent(
                id=self._instance.new_id(),
                url=url,
                trigger=trigger.replace("_events", "_hooks"),
                event=EVENTS[trigger],
                request_headers=_without_secrets(headers),
                request_data=body.decode(),
                response_headers=returned,
                response_body=text,
                status=status,
                duration=time.monotonic() - began,
                created_at=self._instance.clock(),
            )
            hook.events.append(event)
            self.sent.append((hook, event))
            self._judge(hook, status)
        return event

    def _judge(self, hook: Hook, status: str) -> None:
        if status.startswith("2"):
            hook.failures, hook.backoffs, hook.disabled_until = 0, 0, None
            return
        if not self.disabling:
            return
        hook.failures += 1
        if hook.failures >= FAILURES_TO_DISABLE:
            pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**hook.backoffs)
            hook.backoffs += 1
            hook.disabled_until = self._instance.clock() + pause


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    hidden = {"X-Gitlab-Token", "webhook-signature"}
    return {name: "[REDACTED]" if name in hidden else value for name, value in headers.items()}
