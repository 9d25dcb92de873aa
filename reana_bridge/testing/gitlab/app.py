"""The ASGI application of the fake: who asks, which handler answers, and what all answers have."""

import dataclasses
import hashlib
from collections.abc import Mapping
from urllib.parse import unquote

from reana_bridge.testing.answering import Answer, Refused, Route, find_route
from reana_bridge.testing.application import Application
from reana_bridge.testing.git_http import credentials, recognise
from reana_bridge.testing.gitlab import code, git, hooks, merge_requests, notes, people, projects, statuses
from reana_bridge.testing.gitlab.api import Call
from reana_bridge.testing.gitlab.delivering import Deliveries
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.projects import PICTURES
from reana_bridge.testing.gitlab.things import Token
from reana_bridge.testing.requests import Asked

PREFIX = "/api/v4/"

ROUTES: tuple[Route[Call], ...] = (
    *people.ROUTES,
    *projects.ROUTES,
    *code.ROUTES,
    *statuses.ROUTES,
    *merge_requests.ROUTES,
    *notes.ROUTES,
    *hooks.ROUTES,
)
"""Everything that the API answers; the first that fits counts."""


class App(Application):
    """The application of one instance."""

    name = "fake-gitlab"
    prefix = PREFIX

    def __init__(self, instance: Instance, deliveries: Deliveries) -> None:
        super().__init__(instance)
        self.instance = instance
        self.deliveries = deliveries

    def kind(self, asked: Asked) -> str:
        """`api`, `git`, or `web` for what is left."""
        kind = super().kind(asked)
        return "git" if kind == "web" and recognise(asked.decoded, dict(asked.pairs)) else kind

    def written(self, asked: Asked, answer: Answer) -> tuple[int, dict[str, str], bytes]:
        """With an `ETag` and, for somebody who has that already, without a body."""
        status, headers, body = super().written(asked, answer)
        if asked.method == "GET" and status == 200 and "etag" not in headers:
            headers["etag"] = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
            headers.setdefault("cache-control", "max-age=0, private, must-revalidate")
            if asked.headers.get("if-none-match") == headers["etag"]:
                status, body = 304, b""
        return status, headers, body

    # -- who answers --

    def answer(self, asked: Asked) -> tuple[Answer, str]:
        """The answer, and who asked."""
        if asked.path.startswith(PREFIX):
            return self._api(asked)
        wanted = recognise(asked.decoded, dict(asked.pairs))
        if wanted is None:
            return self._web(asked.decoded), ""
        value = credentials(asked.headers)
        token = self._token(value) if value else None
        if value and token is None:
            return git.refused(401, git.DENIED), ""
        answer = git.answer(self.instance, wanted, token, asked.headers, asked.body)
        return answer, token.user.username if token else ""

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

    def _api(self, asked: Asked) -> tuple[Answer, str]:
        call = Call(
            instance=self.instance,
            deliveries=self.deliveries,
            method=asked.method,
            path=asked.path,
            query=asked.pairs,
            headers=asked.headers,
            body=asked.body,
        )
        limited: Mapping[str, str] = {}
        try:
            call.token = self._authenticate(call)
            limited = self._limit(call)
            answer = self._run(call)
        except Refused as refused:
            answer = refused.answer()
        answer = dataclasses.replace(answer, headers={**limited, **answer.headers})
        return answer, call.user.username if call.user else ""

    def _authenticate(self, call: Call) -> Token | None:
        value = call.headers.get("private-token") or dict(call.query).get("private_token", "")
        if not value and call.headers.get("authorization", "").lower().startswith("bearer "):
            value = credentials(call.headers)
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
        found = find_route(ROUTES, call.method, segments)
        if found is None:
            raise Refused(404, {"error": "404 Not Found"})
        route, call.named = found
        return route.answer(call, self.instance.lock)
