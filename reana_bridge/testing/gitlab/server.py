"""A GitLab for tests: `FakeGitLab` starts it, fills it, breaks it, and says what it shows in the end."""

import time
from collections.abc import Callable
from pathlib import Path

from reana_bridge.testing.gitlab import statuses
from reana_bridge.testing.gitlab.app import App
from reana_bridge.testing.gitlab.delivering import Deliveries
from reana_bridge.testing.gitlab.filling import Filling
from reana_bridge.testing.gitlab.instance import QuickAction
from reana_bridge.testing.gitlab.limits import RateLimit
from reana_bridge.testing.gitlab.things import CommitStatus, MergeRequest, Note, Project, User
from reana_bridge.testing.server import FakeForge


class FakeGitLab(FakeForge[App, Deliveries], Filling):
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
        Filling.__init__(self, directory, version=version, clock=clock)
        self.instance.archive_limit = RateLimit(most=5, seconds=60)
        self.instance.test_limit = RateLimit(most=5, seconds=60)
        self.instance.note_limit = RateLimit(most=300, seconds=60)
        deliveries = Deliveries(self.instance)
        super().__init__(App(self.instance, deliveries), deliveries)

    # -- what goes wrong --

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
        super().mend()
        self.instance.request_limit = None

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
