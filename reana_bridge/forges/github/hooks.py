"""Hooks: a repository's own, made with a token, and the one that a GitHub App has for all.

Promises: making a hook again repairs it and never makes a second one. The App's own hook is set in the App's
settings on GitHub; here it is looked at, and its failed deliveries are sent again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reana_bridge.forges.base import FailedDelivery, ForgeRefused, HookFacts
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.github.auth import AppCredentials, TokenCredentials
from reana_bridge.model.projects import Project

EVENTS = ("push", "pull_request", "issue_comment")
"""What a repository's hook tells."""

APP_HOOK = "app"
"""The id by which the App's own hook goes here; GitHub gives it none."""

MOST_ATTEMPTS = 3
"""A delivery that failed so often is not named any more: sending it again has not helped."""

_RIGHT = "the scope `admin:repo_hook`, or the permission `webhooks: write`"
_APP_RIGHT = "the App's own private key"


class Hooks:
    """Makes hooks and looks after them."""

    def __init__(self, api: Api, credentials: TokenCredentials | AppCredentials) -> None:
        self._api = api
        self._credentials = credentials

    def all(self, project: Project, url: str) -> list[HookFacts]:
        """The hooks that lead to `url` or below it; with an App, its own one only."""
        if isinstance(self._credentials, AppCredentials):
            config = self._api.call("GET", "/app/hook/config", None, what="show the App's hook").data
            found = [_facts(APP_HOOK, config, active=True, events=None)]
        else:
            what = f"list the hooks of {project}"
            items = self._api.pages("/hooks", project, what=what, right=_RIGHT)
            found = [_repository_hook(item) for item in items]
        return [hook for hook in found if f"{hook.url}/".startswith(f"{url.rstrip('/')}/")]

    def install(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        """Make a hook, or repair that with the id `hook` or the same URL.

        Raises:
            ForgeRefused: We are an App: its hook is set in its settings on GitHub.
        """
        self._no_app(f"set its URL to {url} and its secret in the App's settings on GitHub")
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        wanted = {"config": config, "events": list(EVENTS), "active": True}
        existing = hook or next((one.id for one in self.all(project, url) if one.url == url), None)
        what = f"make the hook of {project}"
        if existing is not None:
            answer = self._api.of(
                "PATCH",
                f"/hooks/{_id(existing)}",
                project,
                what=f"repair hook {existing} of {project}",
                right=_RIGHT,
                data=wanted,
                accept={404},
                repeatable=True,
            )
            if answer.status != 404:
                return _repository_hook(answer.data)
        data = {"name": "web", **wanted}
        answer = self._api.of("POST", "/hooks", project, what=what, right=_RIGHT, data=data)
        return _repository_hook(answer.data)

    def remove(self, project: Project, hook: str) -> None:
        """Remove a hook; gone already is fine.

        Raises:
            ForgeRefused: It is the App's own.
        """
        self._no_app("uninstall the App from the repository instead")
        what = f"remove hook {hook} of {project}"
        path = f"/hooks/{_id(hook)}"
        self._api.of("DELETE", path, project, what=what, right=_RIGHT, accept={404}, repeatable=True)

    def test(self, project: Project, hook: str) -> None:
        """Let GitHub send a ping.

        Raises:
            ForgeRefused: It is the App's own, which GitHub pings only when it is made.
        """
        self._no_app("GitHub sends no test delivery for it; look at Advanced in the App's settings")
        what = f"ping hook {hook} of {project}"
        path = f"/hooks/{_id(hook)}/pings"
        self._api.of("POST", path, project, what=what, right=_RIGHT, repeatable=True)

    def failed(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        """Deliveries since then (UTC seconds) of which no attempt got through, by their newest attempt."""
        attempts: dict[str, list[Any]] = {}
        for item in self._deliveries(project, hook):
            if _delivered_at(item) < since:
                break  # the newest come first
            attempts.setdefault(answers.text(item, "guid"), []).append(item)
        return [
            FailedDelivery(
                id=answers.identity(items[0], "id"),
                at=_delivered_at(items[0]),
                event=answers.text(items[0], "event"),
                status=answers.text(items[0], "status"),
            )
            for items in attempts.values()
            if not any(_arrived(item) for item in items) and len(items) < MOST_ATTEMPTS
        ]

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        """Let GitHub send a delivery again.

        Raises:
            ForgeRefused: It is too old: GitHub keeps deliveries for three days.
        """
        what = f"send delivery {delivery} for {project} again"
        path = f"/deliveries/{_id(delivery)}/attempts"
        if isinstance(self._credentials, AppCredentials):
            path = f"/app/hook{path}"
            self._api.call("POST", path, None, what=what, right=_APP_RIGHT, repeatable=True)
        else:
            path = f"/hooks/{_id(hook)}{path}"
            self._api.of("POST", path, project, what=what, right=_RIGHT, repeatable=True)

    def _deliveries(self, project: Project, hook: str) -> Iterator[Any]:
        what = f"list the deliveries of hook {hook} of {project}"
        if not isinstance(self._credentials, AppCredentials):
            path = f"/hooks/{_id(hook)}/deliveries"
            yield from self._api.pages(path, project, what=what, right=_RIGHT)
            return
        ours = self._api.id_of(project)
        for item in self._api.pages("/app/hook/deliveries", None, what=what, right=_APP_RIGHT):
            if not ours or answers.identity(item, "repository_id") == ours:
                yield item

    def _no_app(self, advice: str) -> None:
        if isinstance(self._credentials, AppCredentials):
            raise ForgeRefused(f"forge {self._api.name}: the hook is the GitHub App's own; {advice}")


def _repository_hook(item: Any) -> HookFacts:
    events = {event for event in answers.each(item, "events") if isinstance(event, str)}
    active = answers.inner(item, "active") is not False
    return _facts(answers.identity(item, "id"), answers.inner(item, "config"), active=active, events=events)


def _facts(identity: str, config: Any, *, active: bool, events: set[str] | None) -> HookFacts:
    return HookFacts(
        id=identity,
        url=answers.text(config, "url"),
        signed=bool(answers.text(config, "secret")),
        disabled="" if active else "somebody has switched it off on GitHub",
        problems=tuple(_problems(config, events)),
    )


def _problems(config: Any, events: set[str] | None) -> Iterator[str]:
    if events is not None and "*" not in events:
        for event in EVENTS:
            if event not in events:
                yield f"it does not tell of `{event}`"
    if str(answers.inner(config, "insecure_ssl")) == "1":
        yield "it does not check our certificate (TLS verification is off)"
    if answers.text(config, "content_type") not in {"json", ""}:
        yield "it sends forms where JSON is needed (content type)"
    if not answers.text(config, "secret"):
        yield "it has no secret"


def _id(identity: str) -> str:
    if not identity.isdigit():
        raise ForgeRefused(f"{identity[:40]!r} is not an id of GitHub's")
    return identity


def _arrived(item: Any) -> bool:
    return 200 <= (answers.number(item, "status_code") or 0) < 300


def _delivered_at(item: Any) -> float:
    try:
        return datetime.fromisoformat(answers.text(item, "delivered_at")).timestamp()
    except ValueError:
        return 0.0
