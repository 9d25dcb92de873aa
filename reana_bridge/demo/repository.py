"""A bare repository and a working copy with the example analysis in it, made with real git."""

import os
import subprocess
from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "Demo",
    "GIT_AUTHOR_EMAIL": "demo@localhost",
    "GIT_COMMITTER_NAME": "Demo",
    "GIT_COMMITTER_EMAIL": "demo@localhost",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class GitFailed(Exception):
    """A git command failed; the message has what it said."""


class Repository:
    """A bare repository `bare` and its working copy `copy`.

    Args:
        bare: Made when absent.
        copy: Made when absent.
    """

    def __init__(self, bare: Path, copy: Path) -> None:
        self.bare = bare
        self.copy = copy
        bare.mkdir(parents=True)
        copy.mkdir(parents=True)
        _git("init", "--quiet", "--bare", "--initial-branch=main", cwd=bare)
        _git("init", "--quiet", "--initial-branch=main", cwd=copy)
        _git("remote", "add", "origin", str(bare), cwd=copy)

    def branch(self, name: str) -> None:
        """Begin a branch at `main`."""
        _git("switch", "--quiet", "--create", name, "main", cwd=self.copy)

    def commit(self, message: str) -> str:
        """Commit everything that is in the working copy; the commit's sha."""
        _git("add", "--all", cwd=self.copy)
        _git("commit", "--quiet", "--message", message, cwd=self.copy)
        return _git("rev-parse", "HEAD", cwd=self.copy)

    def push(self, branch: str) -> str:
        """Push the branch; what the other side said."""
        return _git("push", "origin", branch, cwd=self.copy, of_stderr=True)

    def changes(self) -> str:
        """The newest commit's changes, as `git show` prints them without colours."""
        return _git("show", "--format=", "--unified=1", "HEAD", cwd=self.copy)


def _git(*arguments: str, cwd: Path, of_stderr: bool = False) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **_WHO}, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise GitFailed(f"git {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return (done.stderr if of_stderr else done.stdout).strip()
