"""The ASGI application under every fake: reads a request, lets failures strike, answers, keeps the log.

A fake says in `answer` what comes of a request; how its answers are written it may say in `written`.
"""

import asyncio
import functools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from reana_bridge.testing.answering import Answer
from reana_bridge.testing.failing import Failure, Failures, How
from reana_bridge.testing.listening import TRANSPORT
from reana_bridge.testing.requests import Asked, Request
from reana_bridge.testing.state import State

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_THREADS = 16
_HELD_SECONDS = 0.02
_WITHOUT_BODY = frozenset({204, 304})


class Application:
    """The application of one server.

    Attributes:
        name: Of its threads.
        prefix: Where the paths of the API begin.
        json_type: The type of answers in JSON.
        unsized: Types of answers that do not tell their length.
        failures: What goes wrong.
        latency: Seconds that are added to every answer.
    """

    name = "fake"
    prefix = "/"
    json_type = "application/json"
    unsized: frozenset[str] = frozenset()

    def __init__(self, state: State) -> None:
        self.state = state
        self.failures = Failures()
        self.latency = 0.0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=self.name)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = _asked(scope, await _read(receive))
        told = self.told(asked)
        target = f"{asked.decoded}?{unquote(told)}" if told else asked.decoded
        failure = self.failures.take(asked.method, target)
        applies = failure is None or failure.how.applies
        if self.latency:
            await asyncio.sleep(self.latency)
        await _delay(failure)
        answer, user = Answer(), ""
        if applies:
            run = functools.partial(self.answer, asked)
            answer, user = await asyncio.get_running_loop().run_in_executor(self._pool, run)
        answer, cut = await _strike(failure, answer)
        request = Request(
            method=asked.method,
            path=asked.decoded,
            query=told,
            user=user,
            status=0 if cut else answer.status,
            applied=applies,
            kind=self.kind(asked),
            at=time.monotonic(),
        )
        with self.state.lock:
            self.state.requests.append(request)
            self.logged(asked, answer)
        if cut or not await self.send(send, asked, answer):
            await _cut(scope, receive)

    # -- what a fake says --

    def answer(self, asked: Asked) -> tuple[Answer, str]:
        """The answer, and who asked; in a thread of its own, without the lock held."""
        raise NotImplementedError

    def kind(self, asked: Asked) -> str:
        """What kind of request the log calls it: `api`, `git` or `web`."""
        return "api" if asked.path.startswith(self.prefix) else "web"

    def told(self, asked: Asked) -> str:
        """The query as the log has it."""
        return asked.query

    def logged(self, asked: Asked, answer: Answer) -> None:
        """Called with each request and what goes out, when it stands in the log; the lock is held."""

    def encode(self, value: Any) -> bytes:
        """A value as JSON; None is an empty body."""
        return b"" if value is None else json.dumps(value).encode()

    def written(self, asked: Asked, answer: Answer) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body that go out."""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if isinstance(answer.value, bytes):
            return answer.status, headers, answer.value
        if answer.status in _WITHOUT_BODY:
            return answer.status, headers, b""
        headers.setdefault("content-type", self.json_type)
        return answer.status, headers, self.encode(answer.value)

    async def send(self, send: Send, asked: Asked, answer: Answer) -> bool:
        """Send an answer; False where the connection shall be cut in the middle of it."""
        status, headers, body = self.written(asked, answer)
        if headers.get("content-type") not in self.unsized:
            headers["content-length"] = str(len(body))
        await begin(send, status, headers)
        await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else body})
        return True


async def begin(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """Send what stands before an answer's body."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


def _asked(scope: Scope, body: bytes) -> Asked:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return Asked(
        method=scope["method"],
        path=raw.partition(b"?")[0].decode("ascii", "replace"),
        query=scope["query_string"].decode("ascii", "replace"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _delay(failure: Failure | None) -> None:
    if failure is not None and failure.how is How.SLOW:
        await asyncio.sleep(failure.seconds)
    # Not an event of asyncio: it is let go from another thread.
    while failure is not None and failure.how is How.HELD and failure.held:  # noqa: ASYNC110
        await asyncio.sleep(_HELD_SECONDS)


async def _strike(failure: Failure | None, answer: Answer) -> tuple[Answer, bool]:
    """The answer that goes out, and whether the connection is cut instead."""
    if failure is None or failure.how.is_late:
        return answer, False
    if failure.how is How.HANG_AFTER:
        await asyncio.sleep(failure.seconds)
    if failure.how in {How.CLOSE_BEFORE, How.CLOSE_AFTER, How.HANG_AFTER}:
        return Answer(status=0), True
    return Answer(status=failure.status, value=failure.body.encode(), headers=failure.headers), False


async def _cut(scope: Scope, receive: Receive) -> None:
    transport: asyncio.Transport = scope[TRANSPORT]
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
