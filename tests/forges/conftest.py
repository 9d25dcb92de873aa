"""Real git repositories: one that people push to, and the working copies that they push from."""

import atexit
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

IDENTITY = {
    "GIT_AUTHOR_NAME": "Jane",
    "GIT_AUTHOR_EMAIL": "jane@example.org",
    "GIT_AUTHOR_DATE": "1790000000 +0000",
    "GIT_COMMITTER_NAME": "Jane",
    "GIT_COMMITTER_EMAIL": "jane@example.org",
    "GIT_COMMITTER_DATE": "1790000000 +0000",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="install git-lfs")


def git(directory: Path, *arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=directory,
        env=os.environ | IDENTITY,
        input=data,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


@cache
def _empty() -> Path:
    """An empty bare repository and its working copy, made once: git takes longer than copying files."""
    place = Path(mkdtemp(prefix="reana-bridge-tests-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    git(place, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "bare")
    git(place, "init", "--quiet", "--template=", "--initial-branch=main", "copy")
    git(place / "copy", "remote", "add", "origin", "BARE")
    return place


class Repository:
    """A bare repository and one working copy of it."""

    def __init__(self, bare: Path, copy: Path) -> None:
        self.bare, self.copy = bare, copy
        for path in (bare, copy):
            shutil.copytree(_empty() / ("bare" if path == bare else "copy"), path)
        config = copy / ".git" / "config"
        config.write_text(config.read_text().replace("BARE", str(bare)))

    def git(self, *arguments: str, data: bytes = b"") -> str:
        return git(self.copy, *arguments, data=data)

    def commit(
        self, files: Mapping[str, bytes | None] | None = None, message: str = "Change", push: bool = True
    ) -> str:
        for name, content in (files or {}).items():
            path = self.copy / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        if push:
            self.push()
        return self.git("rev-parse", "HEAD")

    def push(self, *arguments: str) -> None:
        self.git("push", "--quiet", "origin", *(arguments or ["HEAD"]))

    def tree(self, entries: list[tuple[str, str, bytes]], message: str = "Odd") -> str:
        """A commit of exactly these (mode, object name, path), also such that no working copy could make."""
        kinds = {"160000": "commit", "040000": "tree"}
        lines = b"".join(
            f"{mode} {kinds.get(mode, 'blob')} {oid}\t".encode() + path + b"\0" for mode, oid, path in entries
        )
        tree = git(self.bare, "mktree", "-z", "--missing", data=lines)
        sha = git(self.bare, "commit-tree", tree, "-m", message)
        git(self.bare, "update-ref", f"refs/heads/odd-{sha[:8]}", sha)
        return sha

    def blob(self, content: bytes) -> str:
        return git(self.bare, "hash-object", "-w", "--stdin", data=content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture
def make_repository(root: Path, tmp_path: Path) -> Callable[[str], Repository]:
    copies = tmp_path / "copies"
    copies.mkdir()
    return lambda name: Repository(root / f"{name}.git", copies / name.replace("/", "-"))


@pytest.fixture
def repository(make_repository: Callable[[str], Repository]) -> Repository:
    return make_repository("group/name")
