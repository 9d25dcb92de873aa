"""A GitHub for tests: `FakeGitHub` starts it, fills it, breaks it, and says what it shows in the end."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reana_bridge.testing.failing import Failure
from reana_bridge.testing.github.app import App
from reana_bridge.testing.github.delivering import Deliveries
from reana_bridge.testing.github.filling import Filling
from reana_bridge.testing.github.things import CheckRun, Comment, Hook, Project, Pull, Status, User
from reana_bridge.testing.requests import Request
from reana_bridge.testing.server import FakeForge

SECONDARY = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
"""What GitHub says when too much came at once."""


class FakeGitHub(FakeForge[App, Deliveries], Filling):
    """A GitHub on a free port of the loopback interface, with its repositories below a directory.

    As an enterprise's own server, its API is below `/api/v3`. It knows and forgets as long as it exists;
    `stop` and `start` keep everything, the address too.

    Args:
        directory: Made when absent; one for each fake.
        clock: UTC seconds since the epoch.
    """

    failure_body = '{"message":"Server Error"}'

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.time) -> None:
        Filling.__init__(self, directory, clock=clock)
        deliveries = Deliveries(self.world)
        super().__init__(App(self.world, self.bodies, deliveries), deliveries)

    def _to_app(self, hook: Hook, event: str, body: dict[str, Any], project: Project | None) -> None:
        self.deliveries.to_app(hook, event, body, project)

    # -- what goes wrong --

    def limit(self, most: int, *, headers: bool = True) -> None:
        """Answer 403 to requests of a token beyond `most` an hour, until `mend`.

        `headers` says whether answers carry `X-RateLimit-*`.
        """
        with self.world.lock:
            self.world.used.clear()
            self.world.limit, self.world.limit_headers = most, headers

    def limit_secondary(self, *, times: int | None = 1, retry_after: int | None = None) -> Failure:
        """Answer 403 to writes, as when too much came at once; with `Retry-After` where told."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return self.fail("POST", times=times, status=403, headers=headers, body=SECONDARY)

    def mend(self) -> None:
        """Nothing fails any more, and there is no limit."""
        super().mend()
        with self.world.lock:
            self.world.limit, self.world.limit_headers = None, True
            self.world.used.clear()

    # -- what it shows --

    def statuses(self, project: Project, sha: str) -> list[Status]:
        """What a commit shows: the newest status of each context."""
        with self.world.lock:
            return list({one.context: one for one in project.statuses if one.sha == sha}.values())

    def checks(self, project: Project, sha: str) -> list[CheckRun]:
        """All check runs of a commit, oldest first."""
        with self.world.lock:
            return [one for one in project.checks if one.head_sha == sha]

    def notes(self, project: Project, pull: Pull, author: User | None = None) -> list[Comment]:
        """Comments, oldest first; only those of `author` where told."""
        with self.world.lock:
            return [one for one in pull.comments.values() if author is None or one.author is author]

    # -- what was asked of it --

    def writes(self, path: str = "") -> list[Request]:
        """Requests to the API that change something; those for tokens are not among them."""
        return [one for one in super().writes(path) if not one.path.endswith("/access_tokens")]
