"""What the steps ask about a commit, answered from its cache alone: files, history, a checkout.

Promises: only whole commit ids are taken (never a branch, an option, an expression); nothing outside the
cache is asked; sizes and counts have limits. A commit that the cache does not hold is `CommitGone`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reana_bridge.forges.checkout import (
    CheckoutLimits,
    CheckoutReport,
    FetchedSubmodule,
    NotFetched,
    TooLarge,
    checkout,
)
from reana_bridge.forges.gitcache import has_commit, require_sha
from reana_bridge.forges.gitcommand import GitFailed, OutputTooLarge, run_git
from reana_bridge.forges.gitfiles import foresee, gone, raw_commit, read_file

__all__ = [
    "Changes",
    "CheckoutLimits",
    "CheckoutReport",
    "FetchedSubmodule",
    "NotFetched",
    "TooLarge",
    "changed_files",
    "checkout",
    "commit_message",
    "commit_time",
    "count_between",
    "first_parents",
    "foresee",
    "is_ancestor",
    "merge_base",
    "read_file",
]

MAXIMUM_MESSAGE = 65_536
"""Bytes of a commit message that are read."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The files that differ between two commits.

    Attributes:
        paths: By path; a renamed file is there under both names.
        complete: False when there were more than the limit.
    """

    paths: tuple[str, ...]
    complete: bool


def commit_message(cache: Path, sha: str) -> str:
    """The commit's whole message (at most `MAXIMUM_MESSAGE` bytes), undecodable bytes replaced.

    Raises:
        CommitGone: The cache does not hold the commit.
    """
    on_it, _, message = raw_commit(cache, sha).partition(b"\n\n")
    if b"\nencoding " in on_it:
        arguments = ["log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%B", sha, "--"]
        try:
            message = _ask(cache, arguments, sha)
        except OutputTooLarge as large:
            message = large.partial
    return message.partition(b"\0")[0][:MAXIMUM_MESSAGE].decode("utf-8", "replace").strip("\n")


def commit_time(cache: Path, sha: str) -> int:
    """When the commit was committed: UTC seconds since the epoch, by its committer's clock.

    Raises:
        CommitGone: The cache does not hold the commit.
    """
    arguments = ["log", "-1", "--no-show-signature", "--format=%ct", require_sha(sha), "--"]
    return int(_ask(cache, arguments, sha))


def changed_files(cache: Path, before: str | None, sha: str, limit: int = 10_000) -> Changes:
    """The files that differ between `before` (None: nothing at all) and `sha`.

    Args:
        cache: The bare repository.
        before: The commit to compare with, such as the merge base or where the branch was.
        sha: The commit.
        limit: Paths that are named.

    Raises:
        CommitGone: The cache does not hold one of the commits.
    """
    require_sha(sha)
    names = ["-r", "-z", "--name-only"]
    if before is None:
        arguments, shas = ["ls-tree", *names, "--full-tree", sha], [sha]
    else:
        options = [*names, "--no-renames", "--no-ext-diff", "--no-textconv"]
        arguments, shas = ["diff-tree", *options, require_sha(before), sha, "--"], [before, sha]
    complete = True
    try:
        output = _ask(cache, arguments, *shas, limit=64 * 1024**2, records=limit)
    except OutputTooLarge as large:
        output, complete = large.partial.rpartition(b"\0")[0], False
    paths = [path.decode("utf-8", "replace") for path in output.split(b"\0") if path]
    return Changes(paths=tuple(paths[:limit]), complete=complete and len(paths) <= limit)


def merge_base(cache: Path, one: str, other: str) -> str | None:
    """The best common ancestor of two commits; None when their histories never met.

    Raises:
        CommitGone: The cache does not hold one of them.
    """
    arguments = ["merge-base", require_sha(one), require_sha(other)]
    return _ask(cache, arguments, one, other, accept=(0, 1)).decode("ascii").strip() or None


def is_ancestor(cache: Path, ancestor: str, descendant: str) -> bool:
    """Whether `descendant`'s history holds `ancestor` (a commit holds itself).

    Raises:
        CommitGone: The cache does not hold one of them.
    """
    return merge_base(cache, ancestor, descendant) == ancestor


def first_parents(cache: Path, sha: str, limit: int) -> list[str]:
    """The commit itself, its first parent, that one's first parent, ...: at most `limit`, newest first.

    A commit's place in the list is its distance.

    Raises:
        CommitGone: The cache does not hold the commit.
    """
    arguments = ["rev-list", "--first-parent", f"--max-count={limit}", require_sha(sha), "--"]
    return _ask(cache, arguments, sha, limit=limit * 65 + 65).decode("ascii").split()


def newest_first(cache: Path, shas: Sequence[str]) -> list[str]:
    """The commits by their committers' dates, newest first, of equal ones the first given.

    Those that the cache does not hold are left out.
    """
    if not shas:
        return []
    known = ["rev-list", "--no-walk=sorted", "--ignore-missing", *map(require_sha, shas), "--"]
    return run_git(known, directory=cache, limit=len(shas) * 65 + 65)[1].decode("ascii").split()


def count_between(cache: Path, older: str, newer: str) -> int:
    """How many commits `newer` has that `older` has not (0 when it is behind or the same).

    Raises:
        CommitGone: The cache does not hold one of them.
    """
    arguments = ["rev-list", "--count", require_sha(newer), f"^{require_sha(older)}", "--"]
    return int(_ask(cache, arguments, older, newer))


def _ask(
    cache: Path,
    arguments: list[str],
    *shas: str,
    accept: tuple[int, ...] = (0,),
    limit: int = 1 << 20,
    records: int | None = None,
) -> bytes:
    try:
        return run_git(arguments, directory=cache, accept=accept, limit=limit, records=records)[1]
    except GitFailed:
        for sha in shas:
            if not has_commit(cache, sha):
                raise gone(cache, sha) from None
        raise
