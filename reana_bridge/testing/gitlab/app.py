"""The ASGI application of the fake: who asks, which failure strikes, which handler answers, and the log."""

import asyncio
import functools
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, unquote

from reana_bridge.testing.gitlab import (
    code,
    git_http,
    hooks,
    merge_requests,
    notes,
    people,
    projects,
    statuses,
)
from reana_bridge.testing.gitlab.api import Answer, Call, Refused, Route
from reana_bridge.testing.gitlab.delivering import Deliveries
from reana_bridge.testing.gitlab.failing import Failure, Failures, How
from reana_bridge.testing.gitlab.instance import Instance, Request
from reana_bridge.testing.gitlab.projects import PICTURES
from reana_bridge.testing.gitlab.things import Token

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/api/v4/"
TRANSPORT = "reana_bridge.transport"
"""Where the server puts the connection's transport into the scope, so that it can be cut."""

ROUTES: tuple[Route, ...] = (
    *people.ROUTES,
    *projects.ROUTES,
    *code.ROUTES,
    *statuses.ROUTES,
    *merge_requests.ROUTES,
    *notes.ROUTES,
    *hooks.ROUTES,
)
"""Everything that the API answers; the first that fits counts."""

_THREADS = 16


class App:
    """The application of one instance; `latency` is added to every answer, in seconds."""

    def __init__(self, instance: Instance, deliveries: Deliveries, failures: Failures) -> None:
        self.instance = instance
        self.deliveries = deliveries
        self.failures = failures
        self.latency = 0.0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fake-gitlab")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("ascii", "replace")
        query = scope["query_string"].decode("ascii", "replace")
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        decoded = unquote(path)
        method = scope["method"]
        failure = self.failures.take(method, f"{decoded}?{unquote(query)}" if query else decoded)
        if self.latency:
            await asyncio.sleep(self.latency)
        if failure is not None and failure.how is How.SLOW:
            await asyncio.sleep(failure.seconds)
        answer, user, kind = Answer(), "", "api" if path.startswith(PREFIX) else "web"
        if failure is None or failure.how.applies:
            answer, user, kind = await self._answer(method, path, query, headers, body)
        answer, cut = await self._strike(failure, answer)
        self._log(method, decoded, query, user, answer, cut, kind, failure)
        if cut:
            transport: asyncio.Transport = scope[TRANSPORT]
            transport.abort()
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        await _send(send, answer, headers, method)

    async def _strike(self, failure: Failure | None, answer: Answer) -> tuple[Answer, bool]:
        """The answer that goes out, and whether the connection is cut instead."""
        if failure is None or failure.how is How.SLOW:
            return answer, False
        if failure.how is How.HANG_AFTER:
            await asyncio.sleep(failure.seconds)
        if failure.how in {How.CLOSE_BEFORE, How.CLOSE_AFTER, How.HANG_AFTER}:
            return Answer(status=0), True
        return Answer(status=failure.status, value=failure.body.encode(), headers=failure.headers), False

    def _log(
        self,
        method: str,
        path: str,
        query: str,
        user: str,
        answer: Answer,
        cut: bool,
        kind: str,
        failure: Failure | None,
    ) -> None:
        request = Request(
            method=method,
            path=path,
            query=query,
            user=user,
            status=0 if cut else answer.status,
            applied=failure is None or failure.how.applies,
            kind=kind,
        )
        with self.instance.lock:
            self.instance.requests.append(request)

    # -- who answers --

    async def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, str, str]:
        """The answer, who asked, and the kind of request."""
        if path.startswith(PREFIX):
            pairs = parse_qsl(query, keep_blank_values=True)
            call = functools.partial(self._api, method, path, pairs, headers, body)
            answer, user = await asyncio.get_running_loop().run_in_executor(self._pool, call)
            return answer, user, "api"
        wanted = git_http.recognise(unquote(path), dict(parse_qsl(query)))
        if wanted is None:
            return self._web(unquote(path)), "", "web"
        value = git_http.credentials(headers)
        token = self._token(value) if value else None
        if value and token is None:
            return _git(git_http.GitAnswer(status=401, body=b"HTTP Basic: Access denied")), "", "git"
        git = await git_http.answer(self.instance, wanted, token, headers, body)
        return _git(git), git.user, "git"

    def _token(self, value: str) -> Token | None:
        with self.instance.lock:
            token = self.instance.tokens.get(value)
            if token is None or token.revoked:
                return None
            expired = token.expires_at is not None and token.expires_at <= self.instance.clock()
            return None if expired else token

    def _web(self, path: str) -> Answer:
        """An uploaded file, or 404; pictures are for everybody who has the link."""
        parts = path.split("/uploads/")
        secret, _, _ = parts[-1].partition("/")
        for project in list(self.instance.projects.values()):
            found = project.uploads.get(secret) if len(parts) == 2 else None
            if found is not None and found.name.lower().endswith(PICTURES):
                return Answer(value=found.content, headers={"Content-Type": "application/octet-stream"})
        return Answer(status=404, value=b"Not Found", headers={"Content-Type": "text/plain"})

    # -- the API --

    def _api(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[Answer, str]:
        call = Call(
            instance=self.instance,
            deliveries=self.deliveries,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
        )
        limited: Mapping[str, str] = {}
        try:
            call.token = self._authenticate(call)
            limited = self._limit(call)
            answer = self._run(call)
        except Refused as refused:
            answer = Answer(status=refused.status, value=refused.payload, headers=refused.headers)
        answer = Answer(status=answer.status, value=answer.value, headers={**limited, **answer.headers})
        return answer, call.user.username if call.user else ""

    def _authenticate(self, call: Call) -> Token | None:
        value = call.headers.get("private-token") or dict(call.query).get("private_token", "")
        if not value and call.headers.get("authorization", "").lower().startswith("bearer "):
            value = git_http.credentials(call.headers)
        if not value:
            return None
        token = self._token(value)
        if token is None:
            self._explain(value)
            raise Refused(401, {"message": "401 Unauthorized"})
        needed = {"api"} if call.method not in {"GET", "HEAD"} else {"api", "read_api"}
        own = call.path.startswith(f"{PREFIX}personal_access_tokens/self")
        if not own and not token.scopes & needed:
            text = "The request requires higher privileges than provided by the access token."
            payload = {"error": "insufficient_scope", "error_description": text}
            raise Refused(403, payload | {"scope": " ".join(sorted(needed))})
        return token

    def _explain(self, value: str) -> None:
        known = self.instance.tokens.get(value)
        if known is not None:
            text = (
                "Token was revoked. You have to re-authorize from the user."
                if known.revoked
                else "Token is expired. You can either do re-authorization or token refresh."
            )
            raise Refused(401, {"error": "invalid_token", "error_description": text})

    def _limit(self, call: Call) -> Mapping[str, str]:
        limit, now = self.instance.request_limit, self.instance.clock()
        key = call.user.username if call.user else ""
        with self.instance.lock:
            if limit is None:
                return {}
            if limit.take(key, now):
                return limit.describe(key, now, refused=False)
            raise Refused(429, b"Retry later\n", limit.describe(key, now, refused=True))

    def _run(self, call: Call) -> Answer:
        segments = [unquote(part) for part in call.path.removeprefix(PREFIX).strip("/").split("/")]
        for route in ROUTES:
            named = route.match(call.method, segments)
            if named is None:
                continue
            call.named = named
            if not route.locked:
                return route.run(call)
            with self.instance.lock:
                return route.run(call)
        raise Refused(404, {"error": "404 Not Found"})


def _git(answer: git_http.GitAnswer) -> Answer:
    headers = {"Content-Type": answer.kind, "Cache-Control": "no-cache"}
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="GitLab"'
    return Answer(status=answer.status, value=answer.body, headers=headers)


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send: Send, answer: Answer, asked: Mapping[str, str], method: str) -> None:
    status, headers = answer.status, {name.lower(): value for name, value in answer.headers.items()}
    body = answer.value if isinstance(answer.value, bytes) else b""
    if not isinstance(answer.value, bytes) and status != 204:
        body = b"" if answer.value is None else json.dumps(answer.value).encode()
        headers.setdefault("content-type", "application/json")
    if method == "GET" and status == 200 and "etag" not in headers:
        headers["etag"] = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        headers.setdefault("cache-control", "max-age=0, private, must-revalidate")
        if asked.get("if-none-match") == headers["etag"]:
            status, body = 304, b""
    headers["content-length"] = str(len(body))
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
