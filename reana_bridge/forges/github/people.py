"""Who people are on GitHub, who we are, and what each may do."""

from collections.abc import Iterator
from threading import Lock
from typing import Any
from urllib.parse import quote

from reana_bridge.forges.base import Access, ForgeError, Identity
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.github.auth import AppCredentials, TokenCredentials
from reana_bridge.model.projects import Project

PERMISSIONS = {"checks": "write", "pull_requests": "write", "contents": "read", "metadata": "read"}
"""What the App has to be granted."""

EVENTS = ("push", "pull_request", "issue_comment", "check_run", "check_suite")
"""What the App has to be told; the last two come to an App with `checks: write` in any case."""

_ASKED_FOR = frozenset({"push", "pull_request", "issue_comment"})
_LEVELS = {"admin": Access.MAINTAIN, "maintain": Access.MAINTAIN, "write": Access.WRITE, "read": Access.READ}
_ORDER = {"": 0, "read": 1, "write": 2, "admin": 3}


class People:
    """Asks about people and about ourselves."""

    def __init__(self, api: Api, credentials: TokenCredentials | AppCredentials) -> None:
        self._api = api
        self._credentials = credentials
        self._lock = Lock()
        self._identity: Identity | None = None
        self._app: Any = None

    def identity(self) -> Identity:
        """Who we are; asked once."""
        with self._lock:
            known = self._identity
        if known is None:
            known = self._who()
            if known.id:
                with self._lock:
                    self._identity = known
        return known

    def app_id(self) -> str:
        """The number of the App that we are, also where the settings name its client id."""
        return answers.identity(self.app(), "id")

    def app(self) -> Any:
        """What GitHub says of the App that we are; asked once."""
        with self._lock:
            known = self._app
        if known is None:
            known = self._api.call("GET", "/app", None, what="show the App that we are").data
            if not answers.identity(known, "id"):
                raise ForgeError(f"forge {self._api.name}: GitHub does not say which App we are")
            with self._lock:
                self._app = known
        return known

    def access(self, project: Project, user: str, user_id: str) -> Access:
        """What a person may do on the repository now; nothing when the name is another's by now."""
        if not user:
            return Access.NONE
        answer = self._api.of(
            "GET",
            f"/collaborators/{quote(user, safe='')}/permission",
            project,
            what=f"say what {user} may do on {project}",
            right="the permission `metadata: read`, with a token of somebody who may push",
            accept={404},
        )
        if answer.status == 404 or (user_id and answers.identity(answer.data, "user", "id") != user_id):
            return Access.NONE
        by_name = _LEVELS.get(answers.text(answer.data, "role_name"), Access.NONE)
        return max(by_name, _LEVELS.get(answers.text(answer.data, "permission"), Access.NONE))

    def rights(self, project: Project | None) -> list[str]:
        """What we may not do that we need, one sentence each with what to change."""
        if isinstance(self._credentials, AppCredentials):
            return list(self._app_rights(self._credentials, project))
        return list(self._token_rights(project))

    def _who(self) -> Identity:
        if not isinstance(self._credentials, AppCredentials):
            user = self._api.call("GET", "/user", None, what="show the user of our token").data
            return Identity(id=answers.identity(user, "id"), name=answers.text(user, "login"))
        name = f"{answers.text(self.app(), 'slug')}[bot]"
        bearer = self._credentials.any()
        if bearer is None:
            return Identity(id="", name=name)  # installed nowhere, so it has written nothing yet
        path = f"/users/{quote(name, safe='')}"
        bot = self._api.call("GET", path, None, what=f"show the user {name}", bearer=bearer).data
        return Identity(id=answers.identity(bot, "id"), name=name)

    def _token_rights(self, project: Project | None) -> Iterator[str]:
        answer = self._api.call("GET", "/user", None, what="show the user of our token")
        scopes = answer.headers.get("x-oauth-scopes")
        granted = {scope.strip() for scope in scopes.split(",")} if scopes else set[str]()
        if scopes is not None and not granted & {"repo", "public_repo"}:
            yield "the token needs the scope `repo` (for public repositories `public_repo`)"
        hooks = {"admin:repo_hook", "write:repo_hook", "repo"}
        if scopes is not None and not granted & hooks:
            yield "the token needs the scope `admin:repo_hook`, to make and look after hooks"
        if project is None:
            return
        answer = self._api.of("GET", "", project, what=f"show the repository {project}", accept={404})
        if answer.status == 404:
            yield f"the token may not see {project}: give it (or its user) access to the repository"
        elif answers.inner(answer.data, "permissions", "push") is False:
            yield f"the token's user has to have the role `write` on {project}, to set commit statuses"
        elif answers.inner(answer.data, "permissions", "admin") is False:
            yield f"the token's user is no administrator of {project}: `connect` cannot make its hook"

    def _app_rights(self, credentials: AppCredentials, project: Project | None) -> Iterator[str]:
        app = self._api.call("GET", "/app", None, what="show the App that we are").data
        yield from _missing(app, "the App", "set it in the App's settings on GitHub")
        told = {event for event in answers.each(app, "events") if isinstance(event, str)}
        for event in sorted(_ASKED_FOR - told):
            yield f"the App does not get the event `{event}`: subscribe to it in the App's settings on GitHub"
        if project is None:
            return
        installation = credentials.installation(project)
        if answers.text(installation, "suspended_at"):
            yield f"the App's installation on {project} is suspended: an owner has to resume it"
        yield from _missing(installation, f"the installation on {project}", "an owner has to accept it")


def _missing(granted: Any, who: str, advice: str) -> Iterator[str]:
    for name, level in PERMISSIONS.items():
        if _ORDER.get(answers.text(granted, "permissions", name), 0) < _ORDER[level]:
            yield f"{who} has no permission `{name.replace('_', ' ')}: {level}`: {advice}"
