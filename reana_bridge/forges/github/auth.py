"""With whose rights GitHub is asked: a token, or the App's installation on the very repository.

Promises: an installation's token is used until five minutes before its end and then replaced; git gets one of
its own that may only read code; the App's private key is used here and nowhere else.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from reana_bridge.forges.base import ForgeError, ForgeRefused
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.github.client import Bearer
from reana_bridge.forges.remote_git import Login
from reana_bridge.model.projects import Project

GIT_USER = "x-access-token"
"""The user name that goes with a token in git over https."""

READ_CODE = {"contents": "read"}
"""The permissions of git's own token."""

_EARLY = 300.0
_JWT_SECONDS = 540
_JWT_USED = 300.0


class TokenCredentials:
    """One token for everything."""

    def __init__(self, token: str) -> None:
        self._bearer = Bearer("token", token)

    def of(self, project: Project | None) -> Bearer:
        """The token."""
        return self._bearer

    def renew(self, project: Project | None) -> bool:
        """There is no other."""
        return False

    def login(self, project: Project) -> Login | None:
        """For git over https."""
        return Login(GIT_USER, self._bearer.token)


@dataclass(frozen=True)
class _Issued:
    bearer: Bearer
    ends_at: float


class _Gone(ForgeError):
    """The installation was removed."""


class AppCredentials:
    """A GitHub App: for every repository the token of the installation that it is in."""

    def __init__(self, app_id: str, key: str, api: Api, *, clock: Callable[[], float] = time.time) -> None:
        """Nothing is asked yet; `key` is the private key (PEM), `clock` gives UTC seconds."""
        self._app_id = app_id
        self._key = key
        self._api = api
        self._clock = clock
        self._lock = Lock()
        self._jwt: _Issued | None = None
        self._installations: dict[Project, int] = {}
        self._issued: dict[tuple[int, bool], _Issued] = {}
        self._asking: dict[tuple[int, bool], Lock] = {}

    def app(self) -> Bearer:
        """Who asks about the App itself.

        Raises:
            ForgeError: The private key cannot be used.
        """
        with self._lock:
            if self._jwt is None or self._jwt.ends_at <= self._clock():
                self._jwt = _Issued(Bearer("app", self._sign(), jwt=True), self._clock() + _JWT_USED)
            return self._jwt.bearer

    def check(self) -> list[str]:
        """What is wrong with the private key; empty when it can sign."""
        try:
            self.app()
        except ForgeError as error:
            return [str(error)]
        return []

    def of(self, project: Project | None) -> Bearer:
        """The installation's token; the App's own where there is no project."""
        if project is None:
            return self.app()
        return self._token(project, code_only=False)

    def login(self, project: Project) -> Login | None:
        """For git over https: a token that may read code and nothing else."""
        return Login(GIT_USER, self._token(project, code_only=True).token)

    def renew(self, project: Project | None) -> bool:
        """Forget what is known of the project's installation: it may have been removed and made again."""
        with self._lock:
            if project is None:
                had, self._jwt = self._jwt is not None, None
                return had
            installation = self._installations.pop(project, None)
            dropped = [key for key in self._issued if key[0] == installation]
            gone = [self._issued.pop(key) for key in dropped]
        for issued in gone:
            self._api.client.forget(issued.bearer)
        return installation is not None

    def any(self) -> Bearer | None:
        """The token of some installation, for what an App itself may not ask; None where it has none."""
        with self._lock:
            now = self._clock()
            usable = [
                one.bearer
                for (_, code_only), one in self._issued.items()
                if not code_only and one.ends_at > now
            ]
        if usable:
            return usable[0]
        what = "list the App's installations"
        for item in self._api.pages("/app/installations", None, what=what, bearer=self.app()):
            identity = answers.number(item, "id")
            if identity is not None and not answers.text(item, "suspended_at"):
                return self._usable("our installations", identity, code_only=False)
        return None

    def installation(self, project: Project) -> Any:
        """What GitHub says of the App's installation on the project's repository.

        Raises:
            ForgeRefused: The App is not installed there.
        """
        answer = self._api.call(
            "GET",
            f"{self._api.repository(project)}/installation",
            project,
            what=f"find the App's installation on {project}",
            bearer=self.app(),
            accept={404},
        )
        if answer.status == 404 or answers.number(answer.data, "id") is None:
            raise ForgeRefused(
                f"the GitHub App of forge {project.forge} is not installed on {project}; "
                "install it there, or give the installation this repository too"
            )
        return answer.data

    def _token(self, project: Project, *, code_only: bool) -> Bearer:
        with self._lock:
            installation = self._installations.get(project)
        if installation is None:
            installation = answers.number(self.installation(project), "id") or 0
            with self._lock:
                self._installations[project] = installation
        try:
            return self._usable(str(project), installation, code_only=code_only)
        except _Gone as gone:
            with self._lock:
                self._installations.pop(project, None)
            raise ForgeError(f"{gone}; it is looked for again") from gone

    def _usable(self, whose: str, installation: int, *, code_only: bool) -> Bearer:
        key = (installation, code_only)
        with self._lock:
            asking = self._asking.setdefault(key, Lock())
        with asking:  # one at a time, or each thread would ask for a token of its own
            with self._lock:
                issued = self._issued.get(key)
            if issued is None or issued.ends_at - _EARLY <= self._clock():
                fresh = self._issue(whose, installation, code_only)
                with self._lock:
                    self._issued[key] = fresh
                if issued is not None:
                    self._api.client.forget(issued.bearer)
                issued = fresh
        return issued.bearer

    def _issue(self, whose: str, installation: int, code_only: bool) -> _Issued:
        answer = self._api.call(
            "POST",
            f"/app/installations/{installation}/access_tokens",
            None,
            what=f"give us a token for {whose}",
            right="an installation that is not suspended and grants `contents: read`",
            data={"permissions": READ_CODE} if code_only else {},
            bearer=self.app(),
            accept={404},
            repeatable=True,
        )
        token = answers.text(answer.data, "token")
        if answer.status == 404 or not token:
            raise _Gone(f"the App's installation {installation} for {whose} is gone")
        return _Issued(Bearer(f"installation {installation}", token), self._end(answer.data))

    def _end(self, data: Any) -> float:
        try:
            return datetime.fromisoformat(answers.text(data, "expires_at")).timestamp()
        except ValueError:
            return self._clock() + _EARLY + 60.0

    def _sign(self) -> str:
        from github import Auth  # a second that a start without it saves
        from jwt.exceptions import PyJWTError

        try:
            return Auth.AppAuth(self._app_id, self._key, jwt_expiry=_JWT_SECONDS).create_jwt()
        except (PyJWTError, ValueError, TypeError) as error:
            raise ForgeError(
                f"forge {self._api.name}: app_key is not a private key that can sign ({error}); "
                "put the PEM file there that GitHub gave when the key was made"
            ) from error
