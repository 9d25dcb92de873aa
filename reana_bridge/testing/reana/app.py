"""The ASGI application of the fake: who asks, which handler answers, and what all answers have."""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from reana_bridge.testing import answering
from reana_bridge.testing.application import Application, Send, begin
from reana_bridge.testing.reana import accounts, bundles, files, workflows
from reana_bridge.testing.reana.api import Answer, Call, Refused, Route
from reana_bridge.testing.reana.things import Protocol, User
from reana_bridge.testing.reana.world import Truncation, World
from reana_bridge.testing.requests import Asked

PREFIX = "/api/"
ROUTES: tuple[Route, ...] = (*accounts.ROUTES, *bundles.ROUTES, *workflows.ROUTES, *files.ROUTES)
"""Everything that the API answers; the first that fits counts."""

_PIECE = 64 * 1024
_TOKEN = "access_token"  # noqa: S105 - a name in the query


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


class App(Application):
    """The application of one REANA.

    Attributes:
        witness: Called with every request and its answer.
    """

    name = "fake-reana"
    unsized = frozenset({"application/zip"})

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.world = world
        self.witness: Callable[[Exchange], None] = lambda exchange: None

    def told(self, asked: Asked) -> str:
        """The query, decoded and without the token."""
        return unquote(urlencode(_without_token(asked)))

    def logged(self, asked: Asked, answer: answering.Answer) -> None:
        """Let the witness know."""
        ours = answer if isinstance(answer, Answer) else None  # what a failure gives is of the plain kind
        self.witness(Exchange(call=self._call(asked), pairs=asked.pairs, path=asked.decoded, answer=ours))

    # -- the API --

    def answer(self, asked: Asked) -> tuple[answering.Answer, str]:
        """The answer, and who asked."""
        call = self._call(asked)
        limited: Mapping[str, str] = {}
        try:
            route, call.named = self._route(call)
            if not route.open:
                call.user = self._authenticate(call, dict(asked.pairs).get(_TOKEN, ""))
            limited = self._limit(call)
            answer = route.answer(call, self.world.lock)
        except Refused as refused:
            answer = refused.answer()
        answer = dataclasses.replace(answer, headers={**limited, **answer.headers})
        return answer, call.user.email if call.user else ""

    def _call(self, asked: Asked) -> Call:
        return Call(
            world=self.world,
            method=asked.method,
            path=asked.path,
            query=_without_token(asked),
            headers=asked.headers,
            body=asked.body,
        )

    def _route(self, call: Call) -> tuple[Route, dict[str, str]]:
        segments = [unquote(part) for part in call.path.removeprefix(PREFIX).strip("/").split("/")]
        routes = ROUTES if call.path.startswith(PREFIX) else ()
        found = answering.find_route(routes, call.method, segments)
        if found is None:
            if any(route.match(route.method, segments) is not None for route in routes):
                raise Refused(405, "The method is not allowed for the requested URL.")
            raise Refused(404, "The requested URL was not found on the server.")
        if found[0].run is workflows.create_route and bundles.creates_by_bundle(call):
            return Route(method="POST", path="/workflows", run=bundles.create_by_bundle), {}
        return found

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

    def encode(self, value: Any) -> bytes:
        """A value as JSON, in a line."""
        return json.dumps(value).encode() + b"\n"

    def written(self, asked: Asked, answer: answering.Answer) -> tuple[int, dict[str, str], bytes]:
        """With the time that this server believes in."""
        status, headers, body = super().written(asked, answer)
        headers["date"] = formatdate(self.world.now, usegmt=True)
        headers.setdefault("content-type", self.json_type)
        return status, headers, body

    async def send(self, send: Send, asked: Asked, answer: answering.Answer) -> bool:
        """Send an answer; False where the connection shall be cut in the middle of it."""
        file = answer.file if isinstance(answer, Answer) else None
        if file is None:
            return await super().send(send, asked, answer)
        status, headers, _ = self.written(asked, answer)
        await begin(send, status, headers)
        return await self._stream(send, file)

    async def _stream(self, send: Send, file: Path) -> bool:
        truncation = self._truncation(str(file))
        left = truncation.after if truncation else None
        with file.open("rb") as stream:
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


def _without_token(asked: Asked) -> list[tuple[str, str]]:
    return [(key, value) for key, value in asked.pairs if key != _TOKEN]
