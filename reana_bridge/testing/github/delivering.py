"""Brings webhooks to their receivers as GitHub does: signed, once, with a list of what was tried.

Deliveries go out in order. A failed one is not repeated unless somebody asks for it.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx

from reana_bridge.testing.delivering import Sender
from reana_bridge.testing.github.things import Attempt, Hook, Project
from reana_bridge.testing.github.world import World
from reana_bridge.testing.state import Build


def signature(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Deliveries(Sender[Hook, Attempt]):
    """Sends for one world."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world
        world.fire = self.fire

    def fire(self, project: Project, event: str, build: Build) -> None:
        """Send to the repository's hooks and to the Apps that are installed; the lock is held."""
        self._due(lambda: self._send_all(project, event, build))

    def ping(self, hook: Hook) -> None:
        """Send a `ping` to one hook; the lock is held."""
        body: dict[str, Any] = {"zen": "Keep it logically awesome.", "hook_id": hook.id}
        if hook.repository is not None:
            body["repository"] = {"id": hook.repository.id, "full_name": hook.repository.path}
        self._put(hook, "ping", json.dumps(body).encode(), hook.repository)

    def again(self, hook: Hook, attempt: Attempt) -> None:
        """Send a delivery again; the lock is held."""
        self._queue(lambda client: self._attempt(client, hook, attempt, redelivery=True))

    def to_app(self, hook: Hook, event: str, body: dict[str, Any], project: Project | None = None) -> None:
        """Send to one App alone; the lock is held."""
        if hook.active:
            self._put(hook, event, json.dumps(body).encode(), project)

    def _send_all(self, project: Project, event: str, build: Build) -> None:
        hooks = [hook for hook in project.hooks.values() if hook.active]
        installed = [one for one in self._world.installations.values() if project in one.repositories]
        hooks += [one.app.hook for one in installed if one.app.hook.active and not one.suspended_at]
        for hook in hooks:
            if not hook.events & {event, "*"}:
                continue
            if self._is_dropped():
                continue
            body = build()
            if hook.app is not None:
                found = self._world.installation_on(project, hook.app)
                body["installation"] = {"id": found.id if found else 0}
            self._put(hook, event, json.dumps(body).encode(), project)

    def _put(self, hook: Hook, event: str, body: bytes, project: Project | None) -> None:
        installation = self._world.installation_on(project, hook.app) if project and hook.app else None
        planned = Attempt(
            id=0,
            guid=str(uuid4()),
            event=event,
            action=json.loads(body).get("action"),
            body=body,
            at=0.0,
            redelivery=False,
            status="",
            status_code=0,
            repository_id=project.id if project else None,
            installation_id=installation.id if installation else None,
        )
        self._queue(lambda client: self._attempt(client, hook, planned, redelivery=False))

    def _attempt(self, client: httpx.Client, hook: Hook, planned: Attempt, *, redelivery: bool) -> None:
        try:
            answer = client.post(
                hook.settings["url"], content=planned.body, headers=self._headers(hook, planned)
            )
            code, status = answer.status_code, answer.reason_phrase if answer.is_error else "OK"
        except httpx.TimeoutException:
            code, status = 504, "timed out"
        except (httpx.HTTPError, httpx.InvalidURL):
            code, status = 502, "failed to connect to host"
        with self._world.lock:
            done = replace(
                planned,
                id=self._world.new_id(),
                at=self._world.clock(),
                redelivery=redelivery,
                status=status,
                status_code=code,
            )
            hook.deliveries.append(done)
            self.sent.append((hook, done))

    def _headers(self, hook: Hook, planned: Attempt) -> dict[str, str]:
        target = hook.app.id if hook.app else hook.repository.id if hook.repository else 0
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/fake",
            "X-GitHub-Event": planned.event,
            "X-GitHub-Delivery": planned.guid,
            "X-GitHub-Hook-ID": str(hook.id),
            "X-GitHub-Hook-Installation-Target-ID": str(target),
            "X-GitHub-Hook-Installation-Target-Type": "integration" if hook.app else "repository",
        }
        if secret := hook.settings.get("secret"):
            headers["X-Hub-Signature-256"] = signature(secret, planned.body)
        return headers
