"""The ASGI application of the fake: who asks, which handler answers, and what all answers have."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from email.utils import formatdate

import jwt

from reana_bridge.testing.answering import Answer, Refused, find_route
from reana_bridge.testing.application import Application
from reana_bridge.testing.git_http import credentials, recognise
from reana_bridge.testing.github import checks, comments, git, hooks, repositories
from reana_bridge.testing.github.api import Call, said
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.delivering import Deliveries
from reana_bridge.testing.github.world import Actor, World
from reana_bridge.testing.requests import Asked

PREFIX = "/api/v3/"
ROUTES = (*repositories.ROUTES, *comments.ROUTES, *checks.ROUTES, *hooks.ROUTES)
"""Everything that the API answers; the first that fits counts."""

LONGEST_JWT = 600
HOUR = 3600


class App(Application):
    """The application of one world."""

    name = "fake-github"
    prefix = PREFIX
    json_type = "application/json; charset=utf-8"

    def __init__(self, world: World, bodies: Bodies, deliveries: Deliveries) -> None:
        super().__init__(world)
        self.world = world
        self.bodies = bodies
        self.deliveries = deliveries

    def kind(self, asked: Asked) -> str:
        """`api`, or `git`: nothing else is there."""
        return "api" if asked.path.startswith(PREFIX) else "git"

    def answer(self, asked: Asked) -> tuple[Answer, str]:
        """The answer, and who asked."""
        if not asked.path.startswith(PREFIX):
            return self._git(asked)
        token = asked.headers.get("authorization", "").partition(" ")[2]
        actor = self._actor(token)
        if actor is None:
            return said(401, "Bad credentials").answer(), ""
        limits, refusal = self._limited(token)
        try:
            if refusal is not None:
                raise refusal
            answer = self._run(asked, actor)
        except Refused as refused:
            answer = refused.answer()
        return self._finish(answer, asked, token, actor, limits), actor.name

    def _git(self, asked: Asked) -> tuple[Answer, str]:
        request = recognise(asked.decoded, dict(asked.pairs))
        if request is None:
            return Answer(status=404, value=b"Not Found"), ""
        actor = self._actor(credentials(asked.headers))
        answer = git.answer(self.world, self.bodies, request, actor, asked.headers, asked.body)
        return answer, actor.name if actor else ""

    def _finish(
        self, answer: Answer, asked: Asked, token: str, actor: Actor, limits: Mapping[str, str]
    ) -> Answer:
        headers = {"Date": formatdate(self.world.clock(), usegmt=True), **limits, **answer.headers}
        if actor.token is not None and actor.token.installation is None:
            headers["X-OAuth-Scopes"] = ", ".join(sorted(actor.token.scopes))
        answer = dataclasses.replace(answer, headers=headers)
        if asked.method != "GET" or answer.status != 200:
            return answer
        written = json.dumps(answer.value).encode()
        headers["ETag"] = f'W/"{hashlib.sha256(written).hexdigest()}"'
        if asked.headers.get("if-none-match") != headers["ETag"]:
            return answer
        with self.world.lock:  # what did not change costs nothing
            self.world.used[token] = max(0, self.world.used.get(token, 0) - 1)
        return Answer(status=304, headers=headers)

    def _run(self, asked: Asked, actor: Actor) -> Answer:
        parts = asked.decoded.removeprefix(PREFIX).strip("/").split("/")
        if parts[0] == "repositories" and len(parts) > 2:
            parts = self._by_path(parts)
        found = find_route(ROUTES, asked.method, parts)
        if found is None:
            raise said(404, "Not Found")
        route, named = found
        call = Call(
            world=self.world,
            bodies=self.bodies,
            deliveries=self.deliveries,
            method=asked.method,
            url=self.world.url + asked.decoded,
            query=dict(asked.pairs),
            body=asked.body,
            actor=actor,
            named=named,
        )
        return route.answer(call, self.world.lock)

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
