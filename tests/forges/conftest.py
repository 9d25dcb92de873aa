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
def _begun(first: tuple[tuple[str, bytes], ...]) -> tuple[Path, Path]:
    """A bare repository and its working copy, made once: git takes longer than copying files."""
    place = Path(mkdtemp(prefix="reana-bridge-tests-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    bare, copy = place / "bare", place / "copy"
    if first:
        Repository(bare, copy).commit(dict(first), "First")
    else:
        git(place, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "bare")
        git(bare, "config", "receive.autogc", "false")
        git(place, "init", "--quiet", "--template=", "--initial-branch=main", "copy")
        git(copy, "config", "maintenance.auto", "false")
        git(copy, "remote", "add", "origin", str(bare))
    return bare, copy


class Repository:
    """A bare repository and one working copy of it, with one commit where files are given."""

    def __init__(self, bare: Path, copy: Path, first: Mapping[str, bytes] | None = None) -> None:
        self.bare, self.copy = bare, copy
        begun = _begun(tuple((first or {}).items()))
        for old, new in zip(begun, (bare, copy), strict=True):
            shutil.copytree(old, new)
        config = copy / ".git" / "config"
        config.write_text(config.read_text().replace(str(begun[0]), str(bare)))

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
        return self.head()

    def head(self) -> str:
        """The commit that is checked out."""
        head = (self.copy / ".git/HEAD").read_text().strip()
        return (self.copy / ".git" / head[5:]).read_text().strip() if head.startswith("ref: ") else head

    def branch(self, name: str) -> None:
        """Check out a branch; a new one starts where the copy is."""
        if (self.copy / ".git/HEAD").read_text() != f"ref: refs/heads/{name}\n":
            known = (self.copy / ".git/refs/heads" / name).exists()
            self.git("checkout", "--quiet", *([] if known else ["-b"]), name)

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
