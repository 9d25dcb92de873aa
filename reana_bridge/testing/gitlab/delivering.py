"""Brings webhooks to their receivers as GitLab does: signed, once, with a memory of who did not answer.

Each hook's deliveries go out in order, different hooks do not wait for each other for long. A failed
delivery is not repeated, it is remembered as an event; hooks that fail again and again are disabled.
"""

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import httpx

from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import Hook, HookEvent, Project

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
_WORKERS = 4
_KEPT_BODY = 8192

Job = Callable[[httpx.Client], object]


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


class Deliveries:
    """Sends for one instance.

    Attributes:
        seconds: How long a receiver may take.
        disabling: Whether hooks that fail are disabled, as on GitLab.com.
        dropped: Asked with a running number before each delivery; True loses it without a trace, as the
            limits of GitLab.com do.
        sent: Every delivery that was tried, oldest first, as (hook, event).
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.seconds = 10.0
        self.disabling = True
        self.dropped: Callable[[int], bool] = lambda _: False
        self.sent: list[tuple[Hook, HookEvent]] = []
        self._number = 0
        self._held: list[Callable[[], None]] | None = None
        self._waiting = 0
        self._idle = threading.Condition()
        self._queues: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(_WORKERS)]
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), daemon=True) for queue in self._queues
        ]
        instance.fire = self.fire

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after what is being sent now; what waits is lost."""
        for queue in self._queues:
            while not queue.empty():
                queue.get()
            queue.put(None)
        for thread in self._threads:
            thread.join(self.seconds + 5)

    def wait(self, seconds: float = 30.0) -> None:
        """Return when nothing is on its way.

        Raises:
            TimeoutError: Something still is.
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._waiting == 0, seconds):
                raise TimeoutError(f"{self._waiting} webhooks are still on their way after {seconds:.0f} s")

    def hold(self) -> None:
        """Send nothing until `release`; bodies are made then, and tell of the state of then."""
        self._held = []

    def release(self) -> None:
        """Send what was held."""
        with self._instance.lock:
            held, self._held = self._held or [], None
            for send in held:
                send()

    def fire(self, project: Project, trigger: str, build: Callable[[], dict[str, Any]]) -> None:
        """Send to every hook of the project that is subscribed and not disabled; the lock is held."""
        hooks = [hook for hook in project.hooks.values() if hook.settings.get(trigger)]
        hooks = [hook for hook in hooks if not self.disabled(hook)]
        if self._held is not None:
            self._held.append(lambda: self._send_all(hooks, trigger, build))
        else:
            self._send_all(hooks, trigger, build)

    def _send_all(self, hooks: list[Hook], trigger: str, build: Callable[[], dict[str, Any]]) -> None:
        hooks = [hook for hook in hooks if not self._is_dropped()]
        if not hooks:
            return
        body = json.dumps(build()).encode()
        for hook in hooks:
            self._queue(hook, lambda client, hook=hook: self._attempt(client, hook, trigger, body, None))

    def _is_dropped(self) -> bool:
        self._number += 1
        return self.dropped(self._number)

    def _queue(self, hook: Hook, job: Job) -> None:
        with self._idle:
            self._waiting += 1
        self._queues[hook.id % _WORKERS].put(job)

    def disabled(self, hook: Hook) -> bool:
        """Whether the hook is not used now."""
        until = hook.disabled_until
        return hook.failures >= FAILURES_FOR_GOOD or (until is not None and until > self._instance.clock())

    def send_now(self, hook: Hook, trigger: str, body: bytes, delivery: str | None = None) -> HookEvent:
        """Send at once, disabled or not, and wait for the answer; without the lock held."""
        with httpx.Client(timeout=self.seconds, trust_env=False) as client:
            return self._attempt(client, hook, trigger, body, delivery)

    def _work(self, queue: "SimpleQueue[Job | None]") -> None:
        with httpx.Client(timeout=self.seconds, trust_env=False) as client:
            while (job := queue.get()) is not None:
                try:
                    job(client)
                finally:
                    with self._idle:
                        self._waiting -= 1
                        self._idle.notify_all()

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
