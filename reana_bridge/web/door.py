"""The webhook door: reads a request within its limits, lets `receive` judge it, answers.

Promises: whatever bytes come, the answer is one of 200, 202, 400, 401, 408, 413, 415, 503; an unknown forge
answers as an unsigned request does; memory for bodies at hand is bounded. It is a bare ASGI app that stands
before routing and middleware, as every layer between the socket and the inbox costs deliveries a second.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from starlette.types import Receive, Scope, Send

from reana_bridge.steps.receive import UnknownForge, receive
from reana_bridge.store.inbox import InboxFailed, InboxFull
from reana_bridge.web.site import Site
from webhooks.signatures import Unverified

_BODIES_AT_HAND = 8
"""How many bodies of the largest size may be in memory at once."""
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Answer:
    status: int
    content: dict[str, str]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    reason: str = field(default="", compare=False)


class _Refused(Exception):
    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


# Only for who is too slow: a connection closed under a sender resets it before it has read the answer.
_CLOSE = ((b"connection", b"close"),)
_LATER = ((b"retry-after", b"10"),)
_SAFE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_PLAIN = ((b"content-type", b"application/json"), *_SAFE)
_PROBLEM = ((b"content-type", b"application/problem+json"), *_SAFE)


def _error(
    status: int, title: str, detail: str, *, reason: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> _Answer:
    content = {"type": "about:blank", "title": title, "detail": detail}
    return _Answer(status, content, headers, reason or detail)


PREFIX = "/webhooks/"


class Door:
    """The ASGI app behind `/webhooks/{forge}` and `/webhooks/{forge}/{hook}`.

    Args:
        site: Whose inbox takes the deliveries.
    """

    def __init__(self, site: Site) -> None:
        self._bridge = site.bridge
        self._telemetry = site.telemetry
        self._limit = site.bridge.settings.server.body_limit
        self._seconds = site.bridge.settings.server.body_seconds
        self._budget = self._limit * _BODIES_AT_HAND
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        forge, slash, hook = scope["path"].removeprefix(PREFIX).partition("/")
        if not forge or "/" in hook or (slash and not hook):
            answer = _error(404, "Not Found", "webhooks go to /webhooks/FORGE or /webhooks/FORGE/HOOK")
        elif scope["method"] != "POST":
            allow = ((b"allow", b"POST"),)
            answer = _error(405, "Method Not Allowed", "webhooks are sent with POST", headers=allow)
        else:
            answer = await self._safely(forge, hook, scope, receive)
        if answer.status >= 400:
            _log.info("webhook.refused", forge=forge[:80], status=answer.status, reason=answer.reason)
        await _send(send, answer)
        self._telemetry.webhook(answer.status, time.perf_counter() - started)

    async def _safely(self, forge: str, hook: str, scope: Scope, receive: Receive) -> _Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            return await self._answer(forge, hook, headers, receive)
        except Exception:
            # A defect of ours: the sender keeps its delivery and comes again, the log has the rest.
            _log.exception("webhook.failed", forge=forge[:80])
            text = "something went wrong here; send it again later"
            return _error(503, "Service Unavailable", text, headers=_LATER)

    async def _answer(self, forge: str, hook: str, headers: Mapping[str, str], receive: Receive) -> _Answer:
        held = 0
        try:
            length = self._check(headers)
            held = length if length is not None else self._limit
            if self._held + held > self._budget:
                held = 0
                text = "as many bodies are being read as may; send it again later"
                return _error(503, "Service Unavailable", text, headers=_LATER)
            self._held += held
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
            return await self._store(forge, hook, headers, body)
        except _Refused as refused:
            return refused.answer
        except TimeoutError:
            text = f"the body did not arrive within {self._seconds:g} s"
            return _error(408, "Request Timeout", text, headers=_CLOSE)
        finally:
            self._held -= held

    def _check(self, headers: Mapping[str, str]) -> int | None:
        """The announced length of a body that is worth reading; None where none was announced."""
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            text = "send application/json (on GitHub: choose that content type for the webhook)"
            raise _Refused(_error(415, "Unsupported Media Type", text))
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            text = "send the body as it is, without a content-encoding"
            raise _Refused(_error(415, "Unsupported Media Type", text))
        announced = headers.get("content-length")
        if announced is None:
            return None
        if not (announced.isascii() and announced.isdigit()):
            text = "content-length is not a number"
            raise _Refused(_error(400, "Bad Request", text))
        # More than twenty digits are too many for any limit, and too long to turn into a number.
        length = int(announced) if len(announced) <= 20 else self._limit + 1
        if length > self._limit:
            raise _Refused(self._too_large())
        return length

    def _too_large(self) -> _Answer:
        text = f"the body is longer than the {self._limit} bytes that are taken (server.body_limit)"
        return _error(413, "Content Too Large", text)

    async def _read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                text = "the sender hung up before the end of the body"
                raise _Refused(_error(400, "Bad Request", text, headers=_CLOSE))
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._limit:
                raise _Refused(self._too_large())
            chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _store(self, forge: str, hook: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        try:
            stored = await receive(self._bridge, forge, hook, headers, body)
        except (UnknownForge, Unverified) as error:
            text = "the delivery is not signed with a secret that is configured for this forge"
            return _error(401, "Unauthorized", text, reason=str(error))
        except InboxFull as error:
            text = "too many deliveries wait; send it again later"
            return _error(503, "Service Unavailable", text, reason=str(error), headers=_LATER)
        except InboxFailed as error:
            text = "the delivery could not be stored; send it again later"
            return _error(503, "Service Unavailable", text, reason=str(error), headers=_LATER)
        if stored.duplicate:
            return _Answer(200, {"delivery": stored.id, "status": "duplicate"})
        return _Answer(202, {"delivery": stored.id, "status": "accepted"})


async def _send(send: Send, answer: _Answer) -> None:
    failed = answer.status >= 400
    content = {**answer.content, "status": answer.status} if failed else answer.content
    body = json.dumps(content).encode("ascii")
    length = (b"content-length", b"%d" % len(body))
    headers = [*(_PROBLEM if failed else _PLAIN), length, *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
