"""A GitLab for tests: `FakeGitLab` starts it, fills it, breaks it, and says what it shows in the end."""

import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from reana_bridge.testing.gitlab import statuses
from reana_bridge.testing.gitlab.app import App
from reana_bridge.testing.gitlab.delivering import Deliveries
from reana_bridge.testing.gitlab.failing import Failure, Failures, How
from reana_bridge.testing.gitlab.filling import Filling
from reana_bridge.testing.gitlab.instance import QuickAction, Request
from reana_bridge.testing.gitlab.limits import RateLimit
from reana_bridge.testing.gitlab.listening import Listener
from reana_bridge.testing.gitlab.things import (
    CommitStatus,
    MergeRequest,
    Note,
    Project,
    User,
)

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""


class FakeGitLab(Filling):
    """A GitLab on a free port of the loopback interface, with its repositories below a directory.

    It knows and forgets as long as it exists; `stop` and `start` keep everything, the address too.

    Args:
        directory: Made when absent; one for each fake.
        version: Which GitLab it plays; older ones lack what came later (signing tokens: 19.0).
        clock: UTC seconds since the epoch.
    """

    def __init__(
        self, directory: Path, *, version: str = "19.1.0", clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(directory, version=version, clock=clock)
        self.instance.archive_limit = RateLimit(most=5, seconds=60)
        self.instance.test_limit = RateLimit(most=5, seconds=60)
        self.instance.note_limit = RateLimit(most=300, seconds=60)
        self.deliveries = Deliveries(self.instance)
        self.failures = Failures()
        self.app = App(self.instance, self.deliveries, self.failures)
        self._listener = Listener(self.app)
        self.instance.url = self._listener.url

    def __enter__(self) -> "FakeGitLab":
        self.deliveries.start()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deliveries.stop()
        self.stop()
        self._listener.close()
        self.app.close()

    @property
    def url(self) -> str:
        """Its address, such as `http://127.0.0.1:40123`."""
        return self.instance.url

    @property
    def latency(self) -> float:
        """Seconds that every answer takes beside its own work; 0 at first."""
        return self.app.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.app.latency = seconds

    def start(self) -> None:
        """Listen (again)."""
        self._listener.start()

    def stop(self) -> None:
        """Be away: connections are refused until `start`."""
        self._listener.stop()

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
        body: str = '{"message":"Bad Gateway"}',
        seconds: float = 0.0,
    ) -> Failure:
        """Let requests fail; see `failing.How` and `failing.Failure`.

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

    def limit(self, most: int, seconds: float = 60.0, *, headers: bool = True) -> RateLimit:
        """Answer 429 to a user's API requests beyond `most` in `seconds`, until `mend`.

        Args:
            most: Requests.
            seconds: Length of the window.
            headers: Whether answers carry `RateLimit-*` and `Retry-After`.
        """
        self.instance.request_limit = RateLimit(most=most, seconds=seconds, headers=headers)
        return self.instance.request_limit

    def mend(self) -> None:
        """Nothing fails any more, and requests are not counted."""
        self.failures.clear()
        self.instance.request_limit = None

    @contextmanager
    def hooks_held(self) -> Generator[None]:
        """Hooks that are due inside go out afterwards, and tell of the state of then."""
        self.deliveries.hold()
        try:
            yield
        finally:
            self.deliveries.release()

    # -- what it shows --

    def statuses(self, project: Project, sha: str) -> list[CommitStatus]:
        """What a commit shows: the newest row of each name."""
        with self.instance.lock:
            return statuses.shown(project, sha)

    def status(self, project: Project, sha: str, name: str) -> CommitStatus | None:
        """The one row of this name that a commit shows; None where there is none."""
        found = [row for row in self.statuses(project, sha) if row.name == name]
        return found[-1] if found else None

    def notes(self, project: Project, of: MergeRequest, author: User | None = None) -> list[Note]:
        """Comments, oldest first; only those of `author` where told."""
        with self.instance.lock:
            return [note for note in of.notes.values() if author is None or note.author is author]

    @property
    def quick_actions(self) -> list[QuickAction]:
        """Every command to GitLab itself that a note held."""
        with self.instance.lock:
            return list(self.instance.quick_actions)

    def requests(self, *, kind: str = "api", method: str = "", path: str = "") -> list[Request]:
        """Answered requests of this kind and method whose path matches the pattern, oldest first."""
        with self.instance.lock:
            found = list(self.instance.requests)
        return [
            one
            for one in found
            if one.kind == kind and method in ("", one.method) and re.search(path, one.path)
        ]

    def writes(self, path: str = "") -> list[Request]:
        """Requests to the API that change something."""
        return [one for one in self.requests(path=path) if one.method in WRITES]

    def reads(self, path: str = "") -> list[Request]:
        """Requests to the API that change nothing."""
        return [one for one in self.requests(path=path) if one.method not in WRITES]

    def forget_requests(self) -> None:
        """Begin the log of requests anew."""
        with self.instance.lock:
            self.instance.requests.clear()
