"""A working tree as a commit, without touching the repository that it belongs to.

Promises: nothing is written into the analyst's repository; files that git ignores are left out, as in a
push; a tree without changes is its own HEAD commit, so that results are found again.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reana_bridge.cli.common import Failure

_IDENTITY = {
    "GIT_AUTHOR_NAME": "working tree",
    "GIT_AUTHOR_EMAIL": "working-tree@localhost",
    "GIT_COMMITTER_NAME": "working tree",
    "GIT_COMMITTER_EMAIL": "working-tree@localhost",
}
BRANCH = "working-tree"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is to be run.

    Attributes:
        sha: The commit.
        dirty: Whether it differs from HEAD.
        compare: The commit to compare with; empty for none.
    """

    sha: str
    dirty: bool
    compare: str


def top_level(directory: Path) -> Path:
    """The working tree that `directory` lies in.

    Raises:
        Failure: It is in no git repository.
    """
    try:
        return Path(_git("rev-parse", "--show-toplevel", cwd=directory))
    except Failure:
        raise Failure(
            f"{directory} is not in a git repository; run `git init && git add . && git commit` there first"
        ) from None


def take(tree: Path, repository: Path, *, commit: str | None, compare: str | None) -> Snapshot:
    """Make the working tree (or `commit`) and the commit to compare with known to a bare repository.

    Args:
        tree: The working tree's top level.
        repository: A bare repository of our own, made when absent; it borrows the tree's objects.
        commit: Instead of the working tree.
        compare: What to compare with, as git understands it (`main`, `HEAD~3`); None for nothing.

    Raises:
        Failure: A commit is not known.
    """
    common = Path(_git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=tree))
    _prepare(repository, common / "objects")
    head = _commit(tree, "HEAD") if _has_head(tree) else ""
    base = _commit(tree, compare) if compare else ""
    sha = _commit(tree, commit) if commit else _write(tree, repository, common, head)
    _git("update-ref", f"refs/heads/{BRANCH}", sha, cwd=repository)
    if base:
        _git("update-ref", "refs/heads/baseline", base, cwd=repository)
    return Snapshot(sha=sha, dirty=sha != head and not commit, compare=base)


def _has_head(tree: Path) -> bool:
    return (
        subprocess.run(
            ["git", "rev-parse", "--verify", "-q", "HEAD"], cwd=tree, capture_output=True
        ).returncode
        == 0
    )


def _commit(tree: Path, name: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=tree)
    except Failure:
        raise Failure(f"git knows no commit {name!r} in {tree}; fetch it, or name another") from None


def _prepare(repository: Path, objects: Path) -> None:
    if not (repository / "HEAD").exists():
        repository.mkdir(parents=True, exist_ok=True)
        _git("init", "--quiet", "--bare", "--initial-branch", "baseline", cwd=repository)
    (repository / "objects" / "info" / "alternates").write_text(f"{objects}\n", encoding="utf-8")


def _write(tree: Path, repository: Path, common: Path, head: str) -> str:
    """The working tree as a commit in our own repository; HEAD itself where nothing differs."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "GIT_INDEX_FILE": str(Path(scratch) / "index"),
            "GIT_OBJECT_DIRECTORY": str(repository.absolute() / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(common / "objects"),
        }
        if head:
            _git("read-tree", head, cwd=tree, environment=environment)
        _git("add", "--all", ".", cwd=tree, environment=environment)
        content = _git("write-tree", cwd=tree, environment=environment)
        if head and content == _git("rev-parse", f"{head}^{{tree}}", cwd=tree):
            return head
        # Dated by its parent: the same files give the same commit, whose result is then there already.
        date = _git("log", "-1", "--format=%ct +0000", head, cwd=tree) if head else "0 +0000"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        parents = ["-p", head] if head else []
        environment |= _IDENTITY | dates
        message = ["-m", "working tree"]
        return _git("commit-tree", content, *parents, *message, cwd=tree, environment=environment)


def _git(*arguments: str, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Failure(f"git {arguments[0]} failed in {cwd}: {done.stderr.strip()}")
    return done.stdout.strip()
