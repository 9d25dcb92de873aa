"""A checkout is the commit's files, byte for byte, and nothing else."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reana_bridge.forges.base import ForgeRefused
from reana_bridge.forges.checkout import CheckoutLimits, TooLarge, checkout
from tests.forges.conftest import Repository, git


def files_below(directory: Path) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for folder, folders, names in os.walk(os.fsencode(directory)):
        for name in [*names, *folders]:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, os.fsencode(directory))
            if os.path.islink(path):
                found[relative] = b"-> " + os.readlink(path)
            elif os.path.isfile(path):
                found[relative] = Path(os.fsdecode(path)).read_bytes()
    return found


def test_bytes_modes_and_links(repository: Repository, tmp_path: Path):
    (repository.copy / "run.sh").write_bytes(b"#!/bin/sh\n")
    (repository.copy / "run.sh").chmod(0o755)
    (repository.copy / "inside").symlink_to("a/b")
    (repository.copy / "outside").symlink_to("/etc/passwd")
    sha = repository.commit({"a/b": b"\x00\xff\r\n", "empty": b"", "a/ c": b"x"})
    report = checkout(repository.bare, sha, tmp_path / "out")
    assert files_below(tmp_path / "out") == {
        b"a/b": b"\x00\xff\r\n",
        b"a/ c": b"x",
        b"empty": b"",
        b"inside": b"-> a/b",
        b"outside": b"-> /etc/passwd",
        b"run.sh": b"#!/bin/sh\n",
    }
    modes = [(tmp_path / "out" / name).stat().st_mode & 0o111 for name in ("run.sh", "a/b")]
    assert modes == [0o111, 0]
    assert (report.files, report.size, report.not_fetched) == (6, 4 + 1 + 3 + 11 + 10, ())


ODD_NAMES = [
    b"a\nb",
    b"-rf",
    b"--help",
    b"\xff\xfe",
    b"a\tb",
    b'"q"',
    b" ",
    b"*",
    b":(top)x",
    b"\xc3\xa9",
    b"$(id)",
]


def test_odd_names(repository: Repository, tmp_path: Path):
    oid = repository.blob(b"content")
    sha = repository.tree([("100644", oid, name) for name in ODD_NAMES])
    checkout(repository.bare, sha, tmp_path / "out")
    assert files_below(tmp_path / "out") == dict.fromkeys(ODD_NAMES, b"content")


TRICKS = {
    "eol": b"* text eol=crlf\n",
    "ident": b"* ident\n",
    "encoding": b"* working-tree-encoding=UTF-16\n",
    "filter": b"* filter=evil\n",
    "lfs": b"* filter=lfs diff=lfs merge=lfs -text\n",
    "export": b"* export-subst\nsecret export-ignore\n",
    "macro": b"[attr]odd text eol=crlf ident\n* odd\n",
}


@pytest.mark.parametrize("attributes", TRICKS.values(), ids=list(TRICKS))
def test_attributes_change_nothing(repository: Repository, tmp_path: Path, attributes: bytes):
    content = b"one\ntwo $Id$ $Format:%H$\n"
    oid, rules = repository.blob(content), repository.blob(attributes)
    folder = git(repository.bare, "mktree", data=f"100644 blob {rules}\t.gitattributes\n".encode())
    sha = repository.tree(
        [
            ("100644", rules, b".gitattributes"),
            ("040000", folder, b"folder"),
            ("100644", oid, b"secret"),
            ("100644", oid, b"x"),
        ]
    )
    git(repository.bare, "config", "filter.evil.smudge", f"touch {tmp_path}/ran; cat")
    git(repository.bare, "config", "filter.evil.required", "true")
    git(repository.bare, "config", "core.autocrlf", "true")
    checkout(repository.bare, sha, tmp_path / "out")
    found = files_below(tmp_path / "out")
    assert found[b"x"] == found[b"secret"] == content
    assert not (tmp_path / "ran").exists()


def test_no_git_directory_and_no_hook(repository: Repository, tmp_path: Path):
    hook = repository.bare / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    before = sorted(path.name for path in repository.bare.iterdir())
    checkout(repository.bare, repository.commit({"a": b"1"}), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert not (tmp_path / "ran").exists()
    assert sorted(path.name for path in repository.bare.iterdir()) == before


@pytest.mark.parametrize("name", [b".git", b".GIT", b"git~1", b"..", b"."])
def test_paths_that_git_does_not_write(repository: Repository, tmp_path: Path, name: bytes):
    config = repository.blob(b"[core]\n\tfsmonitor = touch /tmp/ran\n")
    folder = git(repository.bare, "mktree", data=f"100644 blob {config}\tconfig\n".encode())
    sha = repository.tree([("040000", folder, name)])
    with pytest.raises(ForgeRefused, match="path"):
        checkout(repository.bare, sha, tmp_path / "out")


def test_nothing_is_written_through_a_link(repository: Repository, tmp_path: Path):
    """A tree with both a link `a` and a folder `a`, as no honest git writes it."""
    (tmp_path / "elsewhere").mkdir()
    link = repository.blob(str(tmp_path / "elsewhere").encode())
    folder = git(repository.bare, "mktree", data=f"100644 blob {repository.blob(b'x')}\tb\n".encode())
    sha = repository.tree([("120000", link, b"a"), ("040000", folder, b"a")])
    with contextlib.suppress(ForgeRefused):
        checkout(repository.bare, sha, tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_bomb_of_trees_is_refused(repository: Repository, tmp_path: Path):
    tree = git(repository.bare, "mktree", data=f"100644 blob {repository.blob(b'x')}\tf\n".encode())
    for _ in range(8):
        lines = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
        tree = git(repository.bare, "mktree", data=lines.encode())
    sha = git(repository.bare, "commit-tree", tree, "-m", "bomb")
    with pytest.raises(TooLarge):
        checkout(repository.bare, sha, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (CheckoutLimits(files=2), "more than 2 files"),
        (CheckoutLimits(size=5), "more than 5 bytes"),
    ],
)
def test_limits(repository: Repository, tmp_path: Path, limits: CheckoutLimits, reason: str):
    sha = repository.commit({"a": b"12", "b": b"34", "c": b"56"})
    with pytest.raises(TooLarge, match=reason):
        checkout(repository.bare, sha, tmp_path / "out", limits=limits)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_place_that_is_taken(repository: Repository, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        checkout(repository.bare, repository.commit(), tmp_path / "out")


def test_two_at_once_and_the_same_twice(repository: Repository, tmp_path: Path):
    sha = repository.commit({"a": b"1"})
    for name in ("one", "two"):
        checkout(repository.bare, sha, tmp_path / name)
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two") == {b"a": b"1"}


def test_a_place_behind_a_link_of_ours(repository: Repository, tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    checkout(repository.bare, repository.commit({"a": b"1"}), tmp_path / "link")
    assert files_below(tmp_path / "real") == {b"a": b"1"}


def test_sha256(tmp_path: Path, make_repository: Callable[[str], Repository]):
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(work))
    (work / "a").write_bytes(b"1")
    git(work, "add", "a")
    git(work, "commit", "--quiet", "-m", "x")
    checkout(work / ".git", git(work, "rev-parse", "HEAD"), tmp_path / "out")
    assert files_below(tmp_path / "out") == {b"a": b"1"}
