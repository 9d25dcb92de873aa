"""The ASGI application of the fake: who asks, which failure strikes, which handler answers, and the log."""

import asyncio
import functools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from reana_bridge.testing.gitlab.app import TRANSPORT
from reana_bridge.testing.gitlab.failing import Failure, Failures, How
from reana_bridge.testing.reana import accounts, bundles, files, workflows
from reana_bridge.testing.reana.api import Answer, Call, Refused, Route
from reana_bridge.testing.reana.things import Protocol, User
from reana_bridge.testing.reana.world import Request, Truncation, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/api/"
ROUTES: tuple[Route, ...] = (*accounts.ROUTES, *bundles.ROUTES, *workflows.ROUTES, *files.ROUTES)
"""Everything that the API answers; the first that fits counts."""

_THREADS = 16
_PIECE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer, for somebody who checks them.

    Attributes:
        call: The request.
        pairs: Its query with the token, which `call` lacks.
        path: Decoded.
        answer: None where the fake gave another one, because it was told to fail.
    """

    call: Call
    pairs: list[tuple[str, str]]
    path: str
    answer: Answer | None


class App:
    """The application of one REANA.

    Attributes:
        latency: Seconds that are added to every answer.
        witness: Called with every request and its answer.
    """

    def __init__(self, world: World, failures: Failures) -> None:
        self.world = world
        self.failures = failures
        self.latency = 0.0
        self.witness: Callable[[Exchange], None] = lambda exchange: None
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fake-reana")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("ascii", "replace")
        pairs = parse_qsl(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
        query = [(key, value) for key, value in pairs if key != "access_token"]
        token = dict(pairs).get("access_token", "")
        method, told, decoded = scope["method"], unquote(urlencode(query)), unquote(path)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        call = Call(world=self.world, method=method, path=path, query=query, headers=headers, body=body)
        failure = self.failures.take(method, f"{decoded}?{told}" if told else decoded)
        await asyncio.sleep(self.latency + _delay(failure))
        answer, user = Answer(), ""
        if failure is None or failure.how.applies:
            run = functools.partial(self._answer, call, token)
            answer, user = await asyncio.get_running_loop().run_in_executor(self._pool, run)
        answer, cut = await _strike(failure, answer)
        request = Request(
            method=method,
            path=decoded,
            query=told,
            user=user,
            status=0 if cut else answer.status,
            applied=failure is None or failure.how.applies,
            at=time.monotonic(),
        )
        with self.world.lock:
            self.world.requests.append(request)
            real = failure is None or failure.how is How.SLOW
            self.witness(Exchange(call=call, pairs=pairs, path=decoded, answer=answer if real else None))
        if cut or not await self._send(send, answer, method):
            transport: asyncio.Transport = scope[TRANSPORT]
            transport.abort()
            while (await receive())["type"] != "http.disconnect":
                continue

    # -- the API --

    def _answer(self, call: Call, token: str) -> tuple[Answer, str]:
        """The answer, and who asked."""
        limited: Mapping[str, str] = {}
        try:
            route, call.named = self._route(call)
            if not route.open:
                call.user = self._authenticate(call, token)
            limited = self._limit(call)
            if route.locked:
                with self.world.lock:
                    answer = route.run(call)
            else:
                answer = route.run(call)
        except Refused as refused:
            answer = Answer(status=refused.status, value=refused.payload, headers=refused.headers)
        answer = Answer(
            status=answer.status,
            value=answer.value,
            headers={**limited, **answer.headers},
            file=answer.file,
        )
        return answer, call.user.email if call.user else ""

    def _route(self, call: Call) -> tuple[Route, dict[str, str]]:
        if not call.path.startswith(PREFIX):
            raise Refused(404, "The requested URL was not found on the server.")
        segments = [unquote(part) for part in call.path.removeprefix(PREFIX).strip("/").split("/")]
        known = False
        for route in ROUTES:
            named = route.match(call.method, segments)
            if named is not None:
                if route.run is workflows.create_route and bundles.creates_by_bundle(call):
                    return Route(method="POST", path="/workflows", run=bundles.create_by_bundle), {}
                return route, named
            known = known or route.match(route.method, segments) is not None
        if known:
            raise Refused(405, "The method is not allowed for the requested URL.")
        raise Refused(404, "The requested URL was not found on the server.")

    def _authenticate(self, call: Call, token: str) -> User:
        """Who asks; each protocol takes a token in its own place only."""
        if self.world.protocol is Protocol.NEXT:
            scheme, _, token = call.headers.get("authorization", "").partition(" ")
            token = token.strip() if scheme.lower() == "bearer" else ""
        if not token:
            raise Refused(401, "User not signed in")
        user = self.world.users.get(token)
        if user is None or user.token_revoked:
            raise Refused(401 if self.world.protocol is Protocol.NEXT else 403, "Token is not valid.")
        return user

    def _limit(self, call: Call) -> Mapping[str, str]:
        limit = self.world.request_limit
        if limit is None:
            return {}
        key, now = call.user.id if call.user else "", time.monotonic()
        with self.world.lock:
            taken = limit.take(key, now)
            wait = limit.wait(key, now)
            left = 0 if wait else limit.left(key)
        told = {
            "X-RateLimit-Limit": str(limit.most),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(ceil(self.world.now + max(1, wait))),
        }
        if not taken:
            raise Refused(
                429, f"{limit.most} per {limit.seconds:g} second", told | {"Retry-After": str(wait)}
            )
        return told

    # -- out --

    async def _send(self, send: Send, answer: Answer, method: str) -> bool:
        """Send an answer; False where the connection shall be cut in the middle of it."""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        headers["date"] = formatdate(self.world.now, usegmt=True)
        if answer.file is not None:
            return await self._stream(send, answer, headers)
        body = answer.value if isinstance(answer.value, bytes) else json.dumps(answer.value).encode() + b"\n"
        headers.setdefault("content-type", "application/json")
        if headers["content-type"] != "application/zip":  # no download tells its size
            headers["content-length"] = str(len(body))
        await send({"type": "http.response.start", "status": answer.status, "headers": _pairs(headers)})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
        return True

    async def _stream(self, send: Send, answer: Answer, headers: dict[str, str]) -> bool:
        assert answer.file is not None  # noqa: S101 - only called where there is one
        truncation = self._truncation(str(answer.file))
        left = truncation.after if truncation else None
        await send({"type": "http.response.start", "status": answer.status, "headers": _pairs(headers)})
        with answer.file.open("rb") as stream:
            while piece := stream.read(_PIECE if left is None else min(_PIECE, left)):
                left = None if left is None else left - len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        if truncation is not None and not truncation.silent:
            return False
        await send({"type": "http.response.body", "body": b""})
        return True

    def _truncation(self, path: str) -> Truncation | None:
        with self.world.lock:
            for rule in self.world.truncations:
                if rule.times and rule.path.search(path):
                    rule.times -= 1
                    return rule
        return None


def _delay(failure: Failure | None) -> float:
    return failure.seconds if failure is not None and failure.how is How.SLOW else 0.0


async def _strike(failure: Failure | None, answer: Answer) -> tuple[Answer, bool]:
    """The answer that goes out, and whether the connection is cut instead."""
    if failure is None or failure.how is How.SLOW:
        return answer, False
    if failure.how is How.HANG_AFTER:
        await asyncio.sleep(failure.seconds)
    if failure.how in {How.CLOSE_BEFORE, How.CLOSE_AFTER, How.HANG_AFTER}:
        return Answer(status=0), True
    return Answer(status=failure.status, value=failure.body.encode(), headers=failure.headers), False


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
