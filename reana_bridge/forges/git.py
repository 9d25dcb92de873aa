"""Plain git as a forge: bare repositories in one directory, results as git notes.

Promises: a project is a repository below the root and never anything outside it; nothing of a repository
(hooks, programs named in its configuration) runs; what is shown of a commit is one note.
"""

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from reana_bridge.forges import gitnotes
from reana_bridge.forges.base import NOTHING, CommitGone, ForgeRefused, Note, Posted, Status
from reana_bridge.forges.checkout import checkout
from reana_bridge.forges.gitcache import fetch_commit, has_commit, require_sha
from reana_bridge.forges.gitcommand import GitFailed, run_git
from reana_bridge.forges.lfs import LocalLfsStore
from reana_bridge.forges.submodules import SubmodulePolicy
from reana_bridge.model.projects import Project

OLDEST_GIT = (2, 31)
"""The first git that reads its configuration only from where it is told to."""

_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$")


class GitForge:
    """Bare repositories below one directory: project `group/name` is `group/name.git` or `group/name` there.

    Attributes:
        name: The forge's configured name.
        kind: `git`.
        root: The directory.
    """

    kind = "git"
    note_limit = 60_000

    def __init__(
        self,
        name: str,
        *,
        root: Path,
        submodule_hosts: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.root = root.absolute()
        self._submodule_hosts = frozenset(submodule_hosts)
        self._clock = clock

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; empty when it can be used."""
        wrong: list[str] = []
        if not self.root.is_dir():
            wrong.append(f"forge {self.name}: there is no directory {self.root}; make it, or set `root`")
        try:
            _, output = run_git(["--version"], directory=self.root)
        except GitFailed as failure:
            return [*wrong, f"forge {self.name}: {failure}"]
        numbers = re.search(rb"(\d+)\.(\d+)", output)
        if not numbers or (int(numbers[1]), int(numbers[2])) < OLDEST_GIT:
            found = output.decode("utf-8", "replace").strip()
            needed = ".".join(map(str, OLDEST_GIT))
            wrong.append(f"forge {self.name}: {found} is too old; git {needed} or newer is needed")
        return wrong

    def repository(self, project: Project) -> Path:
        """Where the project's bare repository lies.

        Raises:
            ForgeRefused: There is none, or the path leads out of the root (by a symbolic link).
        """
        root = self.root.resolve()
        for candidate in (root / f"{project.path}.git", root / project.path):
            real = candidate.resolve()
            if not real.is_relative_to(root) or real == root:
                raise ForgeRefused(f"{project} leads out of {self.root}; put the repository itself there")
            if (real / "HEAD").is_file() and (real / "objects").is_dir():
                return real
        raise ForgeRefused(f"{project}: there is no bare repository {self.root}/{project.path}.git")

    def default_branch(self, project: Project) -> str:
        """Name of the project's default branch, such as `main`.

        Raises:
            ForgeRefused: There is no such project, or its HEAD names no branch.
        """
        repository = self.repository(project)
        arguments = ["symbolic-ref", "--quiet", "HEAD"]
        status, output = run_git(arguments, directory=repository, accept=(0, 1))
        if status != 0:
            command = "git symbolic-ref HEAD refs/heads/main"
            raise ForgeRefused(f"HEAD of {project} names no branch; run `{command}` there")
        return output.decode("utf-8", "replace").strip().removeprefix("refs/heads/")

    def heads(self, project: Project) -> dict[str, str]:
        """Every branch and tag that leads to a commit: full ref -> commit sha (annotated tags peeled)."""
        repository = self.repository(project)
        fields = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
        arguments = ["for-each-ref", f"--format={fields}", "refs/heads", "refs/tags"]
        _, output = run_git(arguments, directory=repository)
        found: dict[str, str] = {}
        for line in output.decode("utf-8", "surrogateescape").splitlines():
            kind, sha, peeled_kind, peeled, ref = line.split(" ", 4)
            if any("\udc80" <= character <= "\udcff" for character in ref):
                continue  # Not UTF-8: no event can name it.
            if kind == "tag":
                kind, sha = peeled_kind, peeled
            commit = sha if kind == "commit" else self.head(project, ref)
            if commit is not None:
                found[ref] = commit
        return found

    def head(self, project: Project, ref: str) -> str | None:
        """The commit that the full ref points to now; None when it is gone or leads to no commit."""
        repository = self.repository(project)
        if not ref.startswith("refs/") or _BAD_REF.search(ref):
            return None
        arguments = ["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
        status, output = run_git(arguments, directory=repository, accept=(0, 1))
        return output.decode("ascii").strip() if status == 0 else None

    def fetch(self, project: Project, sha: str, cache: Path) -> None:
        """Bring `sha` and its history into the bare repository at `cache` (made when absent).

        Raises:
            CommitGone: The project has no such commit (any more), on no branch and on none at all.
            ForgeRefused: There is no such project.
            ForgeError: Not now.
        """
        repository = self.repository(project)
        try:
            fetch_commit(str(repository), require_sha(sha), cache, protocol="file")
        except GitFailed as failure:
            if not has_commit(repository, sha):
                raise CommitGone(f"{project} has no commit {sha} (any more)") from failure
            raise

    def checkout(self, project: Project, sha: str, cache: Path, destination: Path) -> list[str]:
        """Fill `destination` with exactly the commit's files; what is missing and why, one line each.

        Raises:
            CommitGone: `cache` does not hold the commit.
            ForgeRefused: It is too large, or holds what may not be written.
            ForgeError: Not now.
        """
        submodules, lfs = self.submodules(project), self.lfs(project)
        report = checkout(cache, sha, destination, submodules=submodules, lfs=lfs)
        return [str(missing) for missing in report.not_fetched]

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        """Show `status` as a line of the commit's note; the same call again changes nothing."""
        self._rewrite(project, status.sha, lambda text: gitnotes.with_status(text, status))
        return NOTHING

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        """Show `note` below the status lines of the commit's note; the same call again changes nothing."""
        self._rewrite(project, note.sha, lambda text: gitnotes.with_body(text, note.body))
        return NOTHING

    def read_note(self, project: Project, sha: str) -> str | None:
        """What is shown of the commit: its status lines, an empty line, its report; None for nothing."""
        return gitnotes.read(self.repository(project), sha)

    def submodules(self, project: Project) -> SubmodulePolicy:
        """Where the project's submodules may come from: this root, and the allowed hosts over https."""
        return SubmodulePolicy(
            url=str(self.repository(project)),
            roots=(self.root.resolve(),),
            hosts=self._submodule_hosts,
        )

    def lfs(self, project: Project) -> LocalLfsStore:
        """Where the project's LFS files lie: the store that `git lfs push` fills beside a bare repository."""
        return LocalLfsStore(self.repository(project) / "lfs" / "objects")

    def _rewrite(self, project: Project, sha: str, change: Callable[[str], str]) -> None:
        gitnotes.rewrite(self.repository(project), sha, change, now=self._clock())
