"""A GitHub for tests: `FakeGitHub` starts it, fills it, breaks it, and says what it shows in the end."""

import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from reana_bridge.testing.github.app import App
from reana_bridge.testing.github.filling import Filling
from reana_bridge.testing.github.sending import Deliveries
from reana_bridge.testing.github.things import CheckRun, Comment, Hook, Project, Pull, Status, User
from reana_bridge.testing.github.world import Request
from reana_bridge.testing.gitlab.failing import Failure, Failures, How
from reana_bridge.testing.gitlab.listening import Listener

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""

SECONDARY = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
"""What GitHub says when too much came at once."""


class FakeGitHub(Filling):
    """A GitHub on a free port of the loopback interface, with its repositories below a directory.

    As an enterprise's own server, its API is below `/api/v3`. It knows and forgets as long as it exists;
    `stop` and `start` keep everything, the address too.

    Args:
        directory: Made when absent; one for each fake.
        clock: UTC seconds since the epoch.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(directory, clock=clock)
        self.deliveries = Deliveries(self.world)
        self.failures = Failures()
        self.application = App(self.world, self.bodies, self.deliveries, self.failures)
        self._listener = Listener(self.application)
        self.world.url = self._listener.url

    def __enter__(self) -> "FakeGitHub":
        self.deliveries.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deliveries.stop()
        self.stop()
        self._listener.close()
        self.application.close()

    @property
    def url(self) -> str:
        """Its address, such as `http://127.0.0.1:40123`."""
        return self.world.url

    @property
    def latency(self) -> float:
        """Seconds that every answer takes beside its own work; 0 at first."""
        return self.application.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.application.latency = seconds

    def start(self) -> None:
        """Listen (again)."""
        self._listener.start()

    def stop(self) -> None:
        """Be away: connections are refused until `start`."""
        self._listener.stop()

    def _to_app(self, hook: Hook, event: str, body: dict[str, Any], project: Project | None) -> None:
        self.deliveries.to_app(hook, event, body, project)

    # -- what goes wrong --

    def fail(
        self,
        method: str = "*",
        path: str = "",
        *,
        times: int | None = 1,
        how: How | str = How.BEFORE,
        status: int = 502,
        headers: Mapping[str, str] | None = None,
        body: str = '{"message":"Server Error"}',
        seconds: float = 0.0,
    ) -> Failure:
        """Let requests fail; see `reana_bridge.testing.gitlab.failing`.

        Args:
            method: Such as `POST`; `*` for every one.
            path: A regular expression, searched in `/path?query`.
            times: How often; None for ever (until `mend`).
            how: When it strikes.
            status: Of the answer.
            headers: Of the answer.
            body: Of the answer.
            seconds: For `slow` and `hang_after`.
        """
        return self.failures.add(
            Failure(
                method=method,
                path=re.compile(path),
                how=How(how),
                times=times,
                status=status,
                headers=dict(headers or {}),
                body=body,
                seconds=seconds,
            )
        )

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
        self.failures.clear()
        with self.world.lock:
            self.world.limit, self.world.limit_headers = None, True
            self.world.used.clear()

    @contextmanager
    def hooks_held(self) -> Generator[None]:
        """Hooks that are due inside go out afterwards, and tell of the state of then."""
        self.deliveries.hold()
        try:
            yield
        finally:
            self.deliveries.release()

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

    def requests(self, method: str = "*", path: str = "", *, kind: str = "api") -> list[Request]:
        """The requests so far, oldest first.

        Args:
            method: Such as `POST`; `*` for every one.
            path: A regular expression, searched in the path.
            kind: `api` or `git`.
        """
        with self.world.lock:
            return [
                one
                for one in self.world.requests
                if method in {"*", one.method} and re.search(path, one.path) and one.kind == kind
            ]

    def writes(self, path: str = "") -> list[Request]:
        """Requests to the API that change something; those for tokens are not among them."""
        found = self.requests(path=path)
        return [one for one in found if one.method in WRITES and not one.path.endswith("/access_tokens")]

    def reads(self, path: str = "") -> list[Request]:
        """Requests to the API that only ask."""
        return [one for one in self.requests(path=path) if one.method not in WRITES]

    def forget_requests(self) -> None:
        """Begin the log of requests anew."""
        with self.world.lock:
            self.world.requests.clear()
