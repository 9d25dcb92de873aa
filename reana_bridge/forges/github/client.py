"""Sends requests to GitHub's API through PyGithub: one client for one thread, its retries and waits off.

Promises: one call is one request, and one more where GitHub answers that a repository has moved; an answer
that drips or has no end is cut off; no answer is said as `NoAnswer`, everything else is an `Answer`.
"""

import json
import math
import time
from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, cast

from reana_bridge.forges.github.answers import Answer
from reana_bridge.forges.telling import NoAnswer, never_left

ANSWER_LIMIT = 32 * 1024**2
"""Bytes of one answer."""

_IDLE = 8
_TOKENS = 200


@dataclass(frozen=True)
class Bearer:
    """Who asks: `owner` names whose rate limit it is; `token` is the secret; `jwt` whether it is an App's."""

    owner: str
    token: str = field(repr=False)
    jwt: bool = False


class Client:
    """The way to one GitHub API; may be used by any number of threads."""

    def __init__(self, api_url: str, *, timeout: float, ca_file: Path | None = None) -> None:
        """Nothing is asked yet; `timeout` is seconds for an answer to begin and between its parts."""
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._idle: OrderedDict[str, list[Any]] = OrderedDict()
        self._lock = Lock()

    def send(
        self,
        bearer: Bearer,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; its answer, whatever its status.

        Args:
            bearer: Who asks.
            method: `GET`, `POST`, `PATCH`, `PUT` or `DELETE`.
            path: Below the API's address, such as `/user`, or a whole URL that is.
            query: Parameters of the URL.
            data: JSON to send; None for none.
            headers: More of them.

        Raises:
            NoAnswer: None came, or none that can be read.
        """
        sent = {"Accept": "application/vnd.github+json, application/json", **(headers or {})}
        with self._requester(bearer) as requester:
            try:
                status, told, body = requester.requestJson(method, path, dict(query or {}), sent, data)
            except OSError as error:  # what requests raises is an OSError
                raise NoAnswer(self._reason(error), sent=not never_left(error)) from error
            except (RuntimeError, AssertionError) as error:
                # How PyGithub says that a redirect leads to another host.
                raise NoAnswer(
                    f"{self._api_url} leads elsewhere; check url and api_url", sent=True
                ) from error
        return Answer(status=status, headers=told, data=_parsed(body))

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at the end."""
        return self._api_url

    def forget(self, bearer: Bearer) -> None:
        """Close what is open with a token that is used no more."""
        with self._lock:
            idle = self._idle.pop(bearer.token, [])
        for requester in idle:
            requester.close()

    @contextmanager
    def _requester(self, bearer: Bearer) -> Generator[Any]:
        with self._lock:
            idle = self._idle.get(bearer.token)
            requester = idle.pop() if idle else None
        requester = requester or self._fresh(bearer)
        try:
            yield requester
        finally:
            self._give_back(bearer, requester)

    def _give_back(self, bearer: Bearer, requester: Any) -> None:
        unused = [requester]
        with self._lock:
            idle = self._idle.setdefault(bearer.token, [])
            self._idle.move_to_end(bearer.token)
            if len(idle) < _IDLE:
                idle.append(unused.pop())
            while len(self._idle) > _TOKENS:
                unused += self._idle.popitem(last=False)[1]
        for one in unused:
            one.close()

    def _fresh(self, bearer: Bearer) -> Any:
        from github import Auth  # a second that a start without it saves
        from github.Requester import Requester

        from reana_bridge.forges.github.limited import limit

        requester = Requester(
            auth=Auth.AppAuthToken(bearer.token) if bearer.jwt else Auth.Token(bearer.token),
            base_url=self._api_url,
            timeout=math.ceil(self._timeout),
            user_agent="reana-bridge",
            per_page=100,
            verify=self._verify,
            retry=0,
            pool_size=1,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        limit(requester, size=ANSWER_LIMIT, seconds=3 * self._timeout, clock=time.monotonic)
        return requester

    def _reason(self, error: OSError) -> str:
        import requests

        if isinstance(error, requests.exceptions.SSLError):
            return "its certificate is not trusted; see `ca_file`"
        if isinstance(error, requests.Timeout):
            return f"nothing came within {self._timeout:.0f} s"
        if never_left(error):
            return f"no connection to {self._api_url}"
        return str(error)[:200] if "answer" in str(error) else "the connection broke"


def _parsed(body: str) -> Any:
    """The body's JSON where it is an object or a list; None where it is not, as a proxy's error page."""
    try:
        value: Any = json.loads(body) if body else None
        return cast(Any, value) if isinstance(value, dict | list) else None
    except ValueError:
        return None
