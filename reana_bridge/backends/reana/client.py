"""Requests to one REANA server as one account.

Promises: the token stands in no URL, exception or log line that leaves this module, since it is put in only
below httpx; no answer is waited for without end or read without limit; what cannot have two effects is tried
again, anything else only where it surely had none.
"""

import contextlib
import json
import logging
import random
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast

import httpx

from reana_bridge.backends.reana.errors import Away, NotAccepted, ReanaError, error_of
from reana_bridge.backends.reana.limiter import Limiter
from reana_bridge.backends.reana.settings import Account

ANSWER_LIMIT = 128 * 1024**2
"""Bytes of one answer; files are streamed."""

_TRIES = 3
_CONNECT_SECONDS = 10.0
_LONGEST_HOLD = 3600.0
_PATIENCE = 20.0
_PIECE = 256 * 1024
_SAFE = frozenset({"GET", "HEAD"})
Query = Sequence[tuple[str, str]]


@dataclass
class Voice:
    """How the server wants to be spoken to; shared by all accounts.

    Attributes:
        bearer: Whether the token goes into a header instead of the query.
        offset: Seconds that the server's clock is ahead of ours.
    """

    bearer: bool = False
    offset: float = 0.0


class _Sender(httpx.BaseTransport):
    """Puts the token in at the last moment, where nothing above sees it."""

    def __init__(self, inner: httpx.BaseTransport, voice: Voice, token: Callable[[], str]) -> None:
        self._inner = inner
        self._voice = voice
        self._token = token

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers, url = httpx.Headers(request.headers), request.url
        if self._voice.bearer:
            headers["Authorization"] = f"Bearer {self._token()}"
        elif self._token():
            url = url.copy_merge_params({"access_token": self._token()})
        return self._inner.handle_request(
            httpx.Request(
                request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
            )
        )

    def close(self) -> None:
        self._inner.close()


def network(ca_file: Path | None = None) -> httpx.BaseTransport:
    """What carries requests over the network.

    Args:
        ca_file: Certificates to trust instead of the system's.

    Raises:
        OSError: They cannot be read.
    """
    trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
    return httpx.HTTPTransport(verify=trust, limits=httpx.Limits(max_connections=32))


class Client:
    """The way to a server for one account; used by any number of threads.

    Args:
        url: The server's address.
        account: Who asks; None for what needs no token.
        voice: Shared by the clients of one server.
        limiter: Likewise.
        timeout: Seconds for an answer to begin, and between its parts.
        transport: What carries requests; shared by the clients of one server.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        url: str,
        account: Account | None,
        *,
        voice: Voice,
        limiter: Limiter,
        transport: httpx.BaseTransport,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Its lines at INFO and below name every request.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.url = url.rstrip("/")
        self.account = account
        self.voice = voice
        self._token = account.token if account else ""
        self._limiter = limiter
        self._sleep = sleep
        self._seconds = timeout
        self._time = self._time_of(timeout)
        self._http = httpx.Client(
            transport=_Sender(transport, voice, lambda: self._token),
            timeout=self._time,
            follow_redirects=False,
            headers={"User-Agent": "reana-bridge", "Accept-Encoding": "gzip"},
            trust_env=False,
        )

    @staticmethod
    def _time_of(seconds: float) -> httpx.Timeout:
        return httpx.Timeout(seconds, connect=min(_CONNECT_SECONDS, seconds))

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    def json(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Query = (),
        data: Any = None,
        content: Callable[[], bytes | Iterator[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
        seconds: float | None = None,
    ) -> Any:
        """One answer's JSON.

        Args:
            method: Such as `GET`.
            path: Below `/api/`, escaped.
            what: What is asked, for messages, as `start the workflow`.
            query: Of the URL.
            data: JSON to send; None for none.
            content: Makes other content to send, anew for each try.
            headers: More of them.
            again: Whether to try again when nobody knows if it was done; None: for `GET`.
            seconds: How long the answer may take; None for the usual time.

        Raises:
            ReanaError: It was refused, or there is no (readable) answer.
        """
        sent = dict(headers or {})
        if data is not None:
            sent["Content-Type"] = "application/json"
        body = (lambda: json.dumps(data, default=str).encode()) if data is not None else content

        def once() -> Any:
            with self._answer(
                method, path, what, query=query, content=body, headers=sent, seconds=seconds
            ) as answer:
                return _parsed(_read(answer, what), what)

        return self._patiently(once, again=method in _SAFE if again is None else again)

    @contextlib.contextmanager
    def stream(self, path: str, what: str) -> Generator[httpx.Response]:
        """A download to read from; not tried again.

        Raises:
            ReanaError: There is none, or it breaks off.
        """
        with self._answer("GET", path, what, query=(), content=None, headers={}) as answer:
            yield answer

    def _patiently(self, once: Callable[[], Any], *, again: bool) -> Any:
        until = time.monotonic() + _PATIENCE
        tried = 0
        while True:
            tried += 1
            try:
                return once()
            except ReanaError as error:
                if isinstance(error, NotAccepted) and self._renewed():
                    continue
                hopeful = isinstance(error, Away) or error.status == 429
                if not hopeful or tried >= _TRIES or (error.sent and not again):
                    raise
                if time.monotonic() > until:
                    raise
            self._sleep(0.1 * 2**tried * random.uniform(0.5, 1.5))  # noqa: S311

    def _renewed(self) -> bool:
        """Whether the token's file holds another one by now."""
        if self.account is None or self.account.token_file is None:
            return False
        try:
            token = self.account.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):  # the refusal itself is told, and says more
            return False
        renewed = bool(token) and token != self._token
        self._token = token or self._token
        return renewed

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Query,
        content: Callable[[], bytes | Iterator[bytes]] | None,
        headers: Mapping[str, str],
        seconds: float | None = None,
    ) -> Generator[httpx.Response]:
        if (left := self._limiter.wait(_PATIENCE)) > 0:
            raise Away(
                f"REANA asked to be left alone for {left:.0f} s more, so it did not {what}", sent=False
            )
        request = self._http.build_request(
            method,
            f"{self.url}/api/{path}",
            params=httpx.QueryParams(list(query)),
            content=content() if content else None,
            headers=dict(headers),
            timeout=self._time if seconds is None else self._time_of(max(seconds, self._seconds)),
        )
        try:
            answer = self._http.send(request, stream=True)
            try:
                self._listen(answer)
                if answer.status_code >= 300:
                    raise self._refusal(answer, what)
                yield answer
            finally:
                answer.close()
        except httpx.HTTPError as error:
            raise self._away(error, what) from None

    def _listen(self, answer: httpx.Response) -> None:
        date = _seconds(answer.headers.get("Date"))
        if date is not None:
            offset = date - time.time()
            # The header counts whole seconds.
            self.voice.offset = offset if abs(offset) > 2 else 0.0
        self._keep_distance(answer)

    def _keep_distance(self, answer: httpx.Response) -> None:
        """Pause before the server's limit is reached: other processes count against it too."""
        most, left, reset = (
            _number(answer.headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset")
        )
        if answer.status_code == 429:
            wait = _number(answer.headers.get("Retry-After"))
            self._limiter.hold(min(_LONGEST_HOLD, 1.0 if wait is None else max(0.1, wait)))
        elif most and left is not None and reset is not None and left < most / 10:
            # What is left is spread over the time until there is more; none of it: until then.
            until = max(0.0, reset - time.time() - self.voice.offset)
            self._limiter.hold(min(2.0, until / (left + 1)))

    def _refusal(self, answer: httpx.Response, what: str) -> ReanaError:
        said = ""
        # The status alone decides where the server's words cannot be read: it may be no REANA that answers.
        with contextlib.suppress(ReanaError, httpx.HTTPError, ValueError):
            told: Any = json.loads(_read(answer, what, limit=1 << 20))
            if isinstance(told, dict):
                said = str(cast(dict[str, Any], told).get("message") or "")
        if answer.is_redirect:
            said = "it leads elsewhere; set `url` to the server's own address"
        error = error_of(what, answer.status_code, self._scrubbed(said)[:1000])
        error.sent = error.sent and answer.status_code != 429
        return error

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text

    def _away(self, error: httpx.HTTPError, what: str) -> ReanaError:
        never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if isinstance(error, httpx.TimeoutException):
            why = "no connection in time" if never_left else "no answer in time"
        else:
            why = "no connection" if never_left else "the connection broke"
        detail = self._scrubbed(str(error))
        shown = f" ({detail})" if detail and "CERTIFICATE" in detail.upper() else ""
        return Away(f"REANA at {self.url} could not be asked to {what}: {why}{shown}", sent=not never_left)


def _read(answer: httpx.Response, what: str, *, limit: int = ANSWER_LIMIT) -> bytes:
    content = bytearray()
    for piece in answer.iter_bytes(_PIECE):
        content += piece
        if len(content) > limit:
            raise ReanaError(f"REANA's answer is longer than {limit} bytes when asked to {what}")
    return bytes(content)


def _parsed(body: bytes, what: str) -> Any:
    try:
        return json.loads(body) if body.strip() else {}
    except ValueError:
        raise Away(f"REANA's answer is no JSON when asked to {what}; is `url` the server's?") from None


def _seconds(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
