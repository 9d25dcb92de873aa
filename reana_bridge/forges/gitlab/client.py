"""Asks GitLab's API through python-gitlab: one client for one thread at a time, its retries and waits off.

Promises: one call is one request; what goes wrong is said by `errors` alone; lists end at a limit; nothing of
the answers is trusted to have the shape that it should have.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, cast
from urllib.parse import quote

from reana_bridge.forges.base import ForgeError
from reana_bridge.forges.gitlab.errors import SHOWN, Answered, Asked, Translator
from reana_bridge.forges.gitlab.session import AnswerTooLong, Heard, LimitedSession
from reana_bridge.forges.telling import NoAnswer, never_left

PER_PAGE = 100
MOST_PAGES = 100
"""Pages of any list that are read."""

_IDLE = 8
_REMEMBERED = 500
_UNCHANGED = 304

Json = dict[str, Any]


class Client:
    """The API of one GitLab with one token; may be used by any number of threads."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        token: str,
        timeout: float = 20.0,
        ca_file: Path | None = None,
        settled_after: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is asked yet.

        Args:
            name: The forge's configured name.
            url: Its address.
            token: Sent as `PRIVATE-TOKEN`.
            timeout: Seconds for an answer.
            ca_file: Certificates to trust instead of the system's.
            settled_after: Seconds after which a write without an answer has happened or not; None for three
                times `timeout` (a minute, GitLab's own limit, where the timeout is the usual one).
            clock: UTC seconds.
        """
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._clock = clock
        self._idle: list[Any] = []
        self._lock = Lock()
        self._etags: OrderedDict[str, tuple[str, Any, str]] = OrderedDict()
        self.heard = Heard()
        settled = 3 * timeout if settled_after is None else settled_after
        self.errors = Translator(forge=name, settled_after=settled, clock=clock)

    def get(self, path: str, asked: Asked, **query: Any) -> Json:
        """The object at `path`, such as `/user`; errors as `Forge` methods raise them."""
        return self.object_of(self.request("get", path, asked, query=query), asked)

    def post(self, path: str, asked: Asked, data: Mapping[str, Any] | None = None, **more: Any) -> Json:
        """What a POST of `data` answers; empty where it answers nothing."""
        response = self.request("post", path, asked, data=data or {}, **more)
        return self.object_of(response, asked) if response.content else {}

    def put(self, path: str, asked: Asked, data: Mapping[str, Any]) -> Json:
        """What a PUT of `data` answers."""
        return self.object_of(self.request("put", path, asked, data=data), asked)

    def delete(self, path: str, asked: Asked) -> None:
        """Remove what is at `path`; gone already is fine."""
        try:
            self.raw("delete", path, asked)
        except Answered as answer:
            if answer.status != 404:
                raise self.errors.answered(asked, answer) from answer

    def pages(
        self,
        path: str,
        asked: Asked,
        *,
        most: int = MOST_PAGES,
        size: int = PER_PAGE,
        query: Mapping[str, Any] | None = None,
    ) -> Iterator[list[Json]]:
        """The list at `path`, page by page, at most `most` pages of `size`."""
        page = "1"
        for _ in range(most):
            paged = {**(query or {}), "per_page": size, "page": page}
            response = self.request("get", path, asked, query=paged)
            yield self._list(response, asked)
            page = _next(response.headers)
            if not page:
                return

    def unchanged_pages(
        self,
        path: str,
        asked: Asked,
        query: Mapping[str, Any],
        *,
        parse: Callable[[Json], Any] = lambda item: item,
    ) -> Iterator[list[Any]]:
        """As `pages`, but pages that are as they were last time are not sent again (by ETag).

        Only what `parse` makes of the items is given and remembered: what people wrote may be long.
        """
        page = "1"
        for _ in range(MOST_PAGES):
            numbered = {**query, "per_page": PER_PAGE, "page": page}
            items, page = self._conditional(path, asked, numbered, parse)
            yield items
            if not page:
                return

    def request(
        self,
        verb: str,
        path: str,
        asked: Asked,
        *,
        query: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> Any:
        """One request; its successful answer.

        Raises:
            ForgeError: Not now (also `RateLimited` and `Unanswered`).
            ForgeRefused: Never (also `CommitGone`).
        """
        try:
            return self.raw(verb, path, asked, query=query, data=data, files=files)
        except Answered as answer:
            raise self.errors.answered(asked, answer) from answer

    def raw(
        self,
        verb: str,
        path: str,
        asked: Asked,
        *,
        query: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """As `request`, but an answer that is no success is raised as it is.

        Raises:
            Answered: No success.
            ForgeError: No answer.
        """
        import gitlab

        try:
            with self._client() as client:
                try:
                    response = client.http_request(
                        verb,
                        path,
                        query_data=dict(query or {}),
                        post_data=None if data is None else dict(data),
                        files=None if files is None else dict(files),
                        extra_headers=dict(headers or {}),
                        obey_rate_limit=False,
                        retry_transient_errors=False,
                        max_retries=0,
                    )
                except gitlab.GitlabHttpError as error:
                    raise _answered(error, client.session.last) from error
                except gitlab.GitlabAuthenticationError as error:
                    raise _answered(error, client.session.last) from error
        except OSError as error:  # what requests raises is an OSError
            lost = NoAnswer(self._reason(error), sent=not never_left(error))
            raise self.errors.no_answer(asked, lost) from error
        self.errors.succeeded()
        return response

    @contextmanager
    def _client(self) -> Generator[Any]:
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or self._fresh()
        try:
            yield client
        finally:
            with self._lock:
                keep = len(self._idle) < _IDLE
                if keep:
                    self._idle.append(client)
            if not keep:
                client.session.close()

    def _fresh(self) -> Any:
        import gitlab  # a third of a second that a start without it saves

        session = LimitedSession(self.heard, total=3 * self._timeout, clock=self._clock)
        return gitlab.Gitlab(
            self._url,
            private_token=self._token,
            ssl_verify=self._verify,
            timeout=self._timeout,
            retry_transient_errors=False,
            keep_base_url=True,
            user_agent="reana-bridge",
            session=session,
        )

    def _conditional(
        self, path: str, asked: Asked, query: Json, parse: Callable[[Json], Any]
    ) -> tuple[list[Any], str]:
        key = f"{path}?{sorted(query.items())}"
        with self._lock:
            etag, items, following = self._etags.get(key, ("", None, ""))
        headers = {"If-None-Match": etag} if etag else {}
        try:
            response = self.raw("get", path, asked, query=query, headers=headers)
        except Answered as answer:
            if answer.status == _UNCHANGED and items is not None:
                return items, following
            raise self.errors.answered(asked, answer) from answer
        items, following = [parse(item) for item in self._list(response, asked)], _next(response.headers)
        with self._lock:
            self._etags[key] = (str(response.headers.get("ETag", "")), items, following)
            self._etags.move_to_end(key)
            while len(self._etags) > _REMEMBERED:
                self._etags.popitem(last=False)
        return items, following

    def object_of(self, response: Any, asked: Asked) -> Json:
        """The JSON object that a response of `raw` or `request` holds.

        Raises:
            ForgeError: It holds none.
        """
        answer = self._parsed(response, asked)
        if not isinstance(answer, dict):
            raise self._odd(asked)
        return cast(Json, answer)

    def _list(self, response: Any, asked: Asked) -> list[Json]:
        answer = self._parsed(response, asked)
        items = cast(list[Any], answer) if isinstance(answer, list) else [None]
        if not all(isinstance(item, dict) for item in items):
            raise self._odd(asked)
        return cast(list[Json], items)

    def _reason(self, error: OSError) -> str:
        import requests

        if isinstance(error, requests.exceptions.SSLError):
            return "its certificate is not trusted; see `ca_file`"
        if isinstance(error, requests.Timeout):
            return f"nothing came within {self._timeout:.0f} s"
        if isinstance(error, AnswerTooLong):
            return str(error)
        if never_left(error):
            return f"no connection to {self._url}"
        return "the connection broke" if isinstance(error, requests.ConnectionError) else str(error)[:SHOWN]

    def _parsed(self, response: Any, asked: Asked) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._odd(asked) from error

    def _odd(self, asked: Asked) -> ForgeError:
        return ForgeError(
            f"forge {self.errors.forge}: what answered when it was to {asked.what} is not GitLab's API; "
            f"check forges.{self.errors.forge}.url"
        )


def project_path(project: str) -> str:
    """The API's path of a project, by its id or its path."""
    return f"/projects/{quote(project, safe='')}"


def _next(headers: Mapping[str, str]) -> str:
    page = str(headers.get("X-Next-Page", "")).strip()
    return page if page.isdigit() else ""


def _answered(error: Any, headers: Mapping[str, Any]) -> Answered:
    said = error.error_message
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if "<html" in text.lower():
        text = ""  # a proxy's error page says nothing more than its status
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return Answered(int(error.response_code or 0), text[:SHOWN], headers)
