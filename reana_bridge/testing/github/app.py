"""The ASGI application of the fake: who asks, which failure strikes, which handler answers, and the log."""

import asyncio
import functools
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

import jwt

from reana_bridge.testing.github import checks, comments, git, hooks, repositories
from reana_bridge.testing.github.api import Answer, Call, Refused, said
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.sending import Deliveries
from reana_bridge.testing.github.world import Actor, Request, World
from reana_bridge.testing.gitlab.app import TRANSPORT
from reana_bridge.testing.gitlab.failing import Failure, Failures, How
from reana_bridge.testing.gitlab.git_http import credentials, recognise

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/api/v3/"
ROUTES = (*repositories.ROUTES, *comments.ROUTES, *checks.ROUTES, *hooks.ROUTES)
"""Everything that the API answers; the first that fits counts."""

LONGEST_JWT = 600
HOUR = 3600

_THREADS = 16


class App:
    """The application of one world; `latency` is added to every answer, in seconds."""

    def __init__(self, world: World, bodies: Bodies, deliveries: Deliveries, failures: Failures) -> None:
        self.world = world
        self.bodies = bodies
        self.deliveries = deliveries
        self.failures = failures
        self.latency = 0.0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fake-github")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        path, query = unquote(scope["path"]), scope["query_string"].decode("ascii", "replace")
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        method = scope["method"]
        failure = self.failures.take(method, f"{path}?{unquote(query)}" if query else path)
        if self.latency:
            await asyncio.sleep(self.latency)
        if failure is not None and failure.how is How.SLOW:
            await asyncio.sleep(failure.seconds)
        kind = "api" if path.startswith(PREFIX) else "git"
        answer, who = Answer(), ""
        if failure is None or failure.how.applies:
            act = functools.partial(self._answer, method, path, query, headers, body)
            answer, who = await asyncio.get_running_loop().run_in_executor(self._pool, act)
        answer, cut = await _strike(failure, answer)
        request = Request(
            method=method,
            path=path,
            query=query,
            user=who,
            status=0 if cut else answer.status,
            applied=failure is None or failure.how.applies,
            kind=kind,
        )
        with self.world.lock:
            self.world.requests.append(request)
        if cut:
            await _cut(scope, receive)
        else:
            await _send(send, answer)

    def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, str]:
        """The answer, and who asked."""
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        if not path.startswith(PREFIX):
            request = recognise(path, pairs)
            if request is None:
                return Answer(status=404, value=b"Not Found"), ""
            actor = self._actor(credentials(headers))
            answered = git.answer(self.world, self.bodies, request, actor, headers, body)
            return answered, actor.name if actor else ""
        token = headers.get("authorization", "").partition(" ")[2]
        actor = self._actor(token)
        if actor is None:
            refused = said(401, "Bad credentials")
            return Answer(status=401, value=refused.payload), ""
        limits, refusal = self._limited(token)
        try:
            if refusal is not None:
                raise refusal
            answer = self._run(method, path, pairs, body, actor)
        except Refused as refused:
            answer = Answer(status=refused.status, value=refused.payload, headers=refused.headers)
        return self._finish(answer, method, token, actor, headers, limits), actor.name

    def _finish(
        self,
        answer: Answer,
        method: str,
        token: str,
        actor: Actor,
        asked: Mapping[str, str],
        limits: Mapping[str, str],
    ) -> Answer:
        headers = {"Date": formatdate(self.world.clock(), usegmt=True), **limits, **answer.headers}
        if actor.token is not None and actor.token.installation is None:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(actor.token.scopes))
        if method != "GET" or answer.status != 200:
            return Answer(status=answer.status, value=answer.value, headers=headers)
        written = json.dumps(answer.value).encode()
        headers["ETag"] = f'W/"{hashlib.sha256(written).hexdigest()}"'
        if asked.get("if-none-match") != headers["ETag"]:
            return Answer(value=answer.value, headers=headers)
        with self.world.lock:  # what did not change costs nothing
            self.world.used[token] = max(0, self.world.used.get(token, 0) - 1)
        return Answer(status=304, headers=headers)

    def _run(self, method: str, path: str, query: Mapping[str, str], body: bytes, actor: Actor) -> Answer:
        parts = path.removeprefix(PREFIX).strip("/").split("/")
        if parts[0] == "repositories" and len(parts) > 2:
            parts = self._by_path(parts)
        for route in ROUTES:
            named = route.match(method, parts)
            if named is None:
                continue
            call = Call(
                world=self.world,
                bodies=self.bodies,
                deliveries=self.deliveries,
                method=method,
                url=self.world.url + path,
                query=query,
                body=body,
                actor=actor,
                named=named,
            )
            with self.world.lock:
                return route.run(call)
        raise said(404, "Not Found")

    def _by_path(self, parts: list[str]) -> list[str]:
        """What is asked of a repository by its id, as by its path."""
        project = self.world.projects.get(int(parts[1])) if parts[1].isdigit() else None
        if project is None:
            raise said(404, "Not Found")
        return ["repos", *project.path.split("/"), *parts[2:]]

    def _limited(self, token: str) -> tuple[Mapping[str, str], Refused | None]:
        world = self.world
        with world.lock:
            used = world.used[token] = world.used.get(token, 0) + 1
            most = 5000 if world.limit is None else world.limit
            reset = (int(world.clock()) // HOUR + 1) * HOUR
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - used)),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Resource": "core",
        }
        refusal = None
        if world.limit is not None and used > most:
            refusal = said(403, "API rate limit exceeded for user ID 1.")
        return headers if world.limit_headers else {}, refusal

    def _actor(self, value: str) -> Actor | None:
        """Who asks; nobody without a token, None for one that is no good."""
        if not value:
            return Actor()
        if value.count(".") == 2:
            return self._app(value)
        with self.world.lock:
            token = self.world.tokens.get(value)
            ended = token and token.expires_at is not None and token.expires_at <= self.world.clock()
            if token is None or token.revoked or ended:
                return None
            gone = token.installation and token.installation.id not in self.world.installations
            return None if gone else Actor(token=token)

    def _app(self, value: str) -> Actor | None:
        for app in list(self.world.apps.values()):
            try:
                claims = jwt.decode(
                    value,
                    app.public_key,
                    algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False},
                )
            except jwt.PyJWTError:
                continue
            now = self.world.clock()
            ours = str(claims.get("iss")) in {str(app.id), app.client_id}
            began, ends = float(claims.get("iat", 0)), float(claims.get("exp", 0))
            if ours and began <= now < ends <= now + LONGEST_JWT:
                return Actor(app=app)
        return None


async def _strike(failure: Failure | None, answer: Answer) -> tuple[Answer, bool]:
    """The answer that goes out, and whether the connection is cut instead."""
    if failure is None or failure.how is How.SLOW:
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


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    body = answer.value if isinstance(answer.value, bytes) else b""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if not isinstance(answer.value, bytes) and answer.status not in {204, 304}:
        body = json.dumps(answer.value).encode()
        headers.setdefault("content-type", "application/json; charset=utf-8")
    headers["content-length"] = str(len(body))
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
