"""Hooks of GitLab projects: made and repaired, tested, and what they could not deliver.

Promises: a hook of ours sends the events that we need over checked TLS and no more; it signs where GitLab can
(19.0 and newer), else it sends the secret; its secret is in no message.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, cast

from reana_bridge.forges.base import FailedDelivery, ForgeError, HookFacts, RateLimited
from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Answered, Asked
from reana_bridge.model.projects import Project

EVENTS = ("push_events", "tag_push_events", "merge_requests_events", "note_events")
"""What we listen to; job events are many and would use up the instance's limit on hooks."""

UNWANTED = ("job_events", "pipeline_events", "issues_events", "deployment_events", "releases_events")
NAME = "reana-bridge"

MOST_ATTEMPTS = 3
"""A delivery that failed so often is not named any more: sending it again has not helped."""

_EVENT_PAGES = 20
_EVENTS_A_PAGE = 20
_RIGHT = "the scope `api` and the Maintainer role"
_KEYS = ("webhook-id", "idempotency-key")


class Hooks:
    """Hooks on the projects of one GitLab."""

    def __init__(self, client: Client, id_of: Callable[[Project], str]) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of

    def leading_to(self, project: Project, url: str) -> list[HookFacts]:
        """The project's hooks that lead to `url` or below it, oldest first."""
        return [hook_facts(hook) for hook in self._all(project) if _leads_to(str(hook.get("url")), url)]

    def install(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        """Make a hook, or repair the one with the id `hook`; see `HostedForge.install_hook`.

        One that leads to the same address already is repaired instead of a second one made.
        """
        there = [each for each in self._all(project) if str(each.get("url")) == url]
        ids = [str(each["id"]) for each in there]
        keep = hook if hook is not None and self._exists(project, hook) else next(iter(ids), None)
        for other in ids:
            if other != keep:
                self.remove(project, other)
        settings = wanted_settings(url) | {"signing_token": secret}
        found = self._write(project, keep, settings)
        if not found.get("signing_token_present"):
            # An older GitLab takes no notice of `signing_token`.
            found = self._write(project, str(found.get("id")), wanted_settings(url) | {"token": secret})
        return hook_facts(found)

    def remove(self, project: Project, hook: str) -> None:
        """Remove a hook; gone already is fine."""
        asked = Asked(what=f"remove a hook of {project}", right=_RIGHT, writes=True, repeatable=True)
        self._client.delete(self._path(project, hook), asked)

    def test(self, project: Project, hook: str) -> None:
        """Let GitLab send a test delivery; raises `ForgeError` with its words where that did not arrive."""
        asked = Asked(what=f"send a test delivery for {project}", right=_RIGHT, writes=True, repeatable=True)
        self._trigger(f"{self._path(project, hook)}/test/push_events", asked)

    def failed(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        """Deliveries since then that did not get through and were not resent since, oldest first."""
        asked = Asked(what=f"list the deliveries of a hook of {project}", right=_RIGHT)
        path = f"{self._path(project, hook)}/events"
        events: list[Json] = []
        for page in self._client.pages(path, asked, most=_EVENT_PAGES, size=_EVENTS_A_PAGE):
            events += page
            if page and _older(page[-1], since):
                break
        return failed_deliveries(events, since)

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        """Let GitLab send a delivery again."""
        asked = Asked(what=f"send a delivery for {project} again", right=_RIGHT, writes=True, repeatable=True)
        self._trigger(f"{self._path(project, hook)}/events/{int(delivery)}/resend", asked)

    def _trigger(self, path: str, asked: Asked) -> None:
        try:
            self._client.raw("post", path, asked, data={})
        except Answered as answer:
            error = self._client.errors.answered(asked, answer)
            if isinstance(error, RateLimited):
                # Five a minute for each hook: no reason to leave the whole forge alone.
                raise ForgeError(str(error), retry_after=error.retry_after) from answer
            if answer.status == 422:
                raise ForgeError(str(error), retry_after=60.0) from answer
            raise error from answer

    def _write(self, project: Project, hook: str | None, settings: Json) -> Json:
        asked = Asked(
            what=f"set up the hook of {project}", right=_RIGHT, writes=True, repeatable=hook is not None
        )
        if hook is None:
            path = f"{project_path(self._id_of(project))}/hooks"
            return self._client.post(path, asked, settings)
        return self._client.put(self._path(project, hook), asked, settings)

    def _exists(self, project: Project, hook: str) -> bool:
        asked = Asked(what=f"tell of a hook of {project}", right=_RIGHT)
        try:
            self._client.raw("get", self._path(project, hook), asked)
        except Answered as answer:
            if answer.status == 404 and "project" not in answer.said.lower():
                return False
            raise self._client.errors.answered(asked, answer) from answer
        return True

    def _all(self, project: Project) -> list[Json]:
        asked = Asked(what=f"list the hooks of {project}", right=_RIGHT)
        path = f"{project_path(self._id_of(project))}/hooks"
        hooks = [hook for page in self._client.pages(path, asked) for hook in page]
        return sorted(
            (hook for hook in hooks if isinstance(hook.get("id"), int)), key=lambda hook: hook["id"]
        )

    def _path(self, project: Project, hook: str) -> str:
        return f"{project_path(self._id_of(project))}/hooks/{int(hook)}"


def wanted_settings(url: str) -> Json:
    """What a hook of ours is set to, beside its secret."""
    return {
        "url": url,
        "name": NAME,
        "enable_ssl_verification": True,
        "push_events_branch_filter": "",
        **dict.fromkeys(EVENTS, True),
        **dict.fromkeys(UNWANTED, False),
    }


def hook_facts(hook: Mapping[str, Any]) -> HookFacts:
    """What there is to say of a hook as the API describes it."""
    state = str(hook.get("alert_status") or "executable")
    until = seconds_of(hook.get("disabled_until"))
    disabled = {
        "disabled": "GitLab has disabled it after 40 deliveries that failed",
        "temporarily_disabled": "GitLab has disabled it for a while after deliveries that failed",
    }.get(state, "")
    return HookFacts(
        id=str(hook.get("id")),
        url=str(hook.get("url")),
        signed=bool(hook.get("signing_token_present")),
        disabled=disabled,
        disabled_until=until if state == "temporarily_disabled" else None,
        problems=tuple(hook_problems(hook)),
    )


def hook_problems(hook: Mapping[str, Any]) -> list[str]:
    """What is not as `install` would set it, one sentence each."""
    found = [
        f"it does not send {event.removesuffix('_events').replace('_', ' ')} events"
        for event in EVENTS
        if not hook.get(event)
    ]
    found += [
        f"it sends {event.removesuffix('_events')} events, which are not needed"
        for event in UNWANTED
        if hook.get(event)
    ]
    if hook.get("enable_ssl_verification") is False:
        found.append("it does not check our certificate")
    if hook.get("push_events_branch_filter"):
        found.append("it sends pushes to some branches only")
    if hook.get("custom_webhook_template"):
        found.append("it sends a body of its own, which cannot be read")
    if hook.get("token_present") is False and hook.get("signing_token_present") is False:
        found.append("it has no secret, so its deliveries are refused")
    return found


def failed_deliveries(events: list[Json], since: float) -> list[FailedDelivery]:
    """Of events as the API lists them (newest first): those that failed and were not resent with success."""
    delivered = {key for event in events if _succeeded(event) and (key := _key(event))}
    tries = Counter(key for event in events if (key := _key(event)))
    hopeless = {key for key, count in tries.items() if count >= MOST_ATTEMPTS}
    found: dict[str, FailedDelivery] = {}
    for event in events:
        at = _at(event)
        dealt_with = _succeeded(event) or _key(event) in delivered | hopeless
        if dealt_with or (at is not None and at < since):
            continue
        failed = FailedDelivery(
            id=str(event.get("id")),
            at=since if at is None else at,
            event=str(event.get("trigger", "")).removesuffix("_hooks"),
            status=str(event.get("response_status", "")),
        )
        found.setdefault(_key(event) or failed.id, failed)  # several tries: the newest stands for all
    return list(reversed(found.values()))


def seconds_of(text: Any) -> float | None:
    """UTC seconds of an ISO 8601 time; None where it is none."""
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() if text else None
    except ValueError:
        return None


def _succeeded(event: Json) -> bool:
    return str(event.get("response_status", "")).startswith("2")


def _key(event: Json) -> str:
    headers: Any = event.get("request_headers")
    if not isinstance(headers, dict):
        return ""
    lower = {str(name).lower(): str(value) for name, value in cast(Json, headers).items()}
    return next((lower[name] for name in _KEYS if lower.get(name)), "")


def _at(event: Json) -> float | None:
    if (at := seconds_of(event.get("created_at"))) is not None:
        return at
    headers: Any = event.get("request_headers")
    named = cast(Json, headers) if isinstance(headers, dict) else {}
    sent = {str(name).lower(): str(value) for name, value in named.items()}.get("webhook-timestamp", "")
    return float(sent) if sent.isascii() and sent.isdigit() else None


def _older(event: Json, since: float) -> bool:
    at = _at(event)
    return at is not None and at < since


def _leads_to(hook: str, url: str) -> bool:
    start = url.rstrip("/")
    return hook == start or hook.startswith((f"{start}/", f"{start}?"))
