"""LFS files: the real content where the forge has it, a clear word where it has not."""

import hashlib
from pathlib import Path

import pytest

from reana_bridge.forges.checkout import CheckoutLimits, TooLarge, checkout
from reana_bridge.forges.git import GitForge
from reana_bridge.forges.lfs import Pointer, parse_pointer
from reana_bridge.model.projects import Project
from tests.forges.conftest import Repository, needs_lfs

CONTENT = b"many events\n" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(CONTENT)}\n".encode()
PROJECT = Project("local", "group/name")


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (POINTER, Pointer(OID, len(CONTENT))),
        (POINTER.replace(b"oid", b"ext-0-x sha256:ff\noid"), Pointer(OID, len(CONTENT))),
        (POINTER + b"more\n", None),
        (POINTER[:-1], None),
        (POINTER.replace(b"sha256:", b"sha1:"), None),
        (POINTER.replace(OID.encode(), b"../" + OID[3:].encode()), None),
        (POINTER.replace(b"size ", b"size -"), None),
        (b"", None),
    ],
)
def test_pointers(content: bytes, pointer: Pointer | None):
    assert parse_pointer(content) == pointer


def store(repository: Repository, content: bytes) -> Path:
    path = repository.bare / "lfs" / "objects" / OID[:2] / OID[2:4] / OID
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def commit(repository: Repository, attributes: bytes = b"*.dat filter=lfs -text\n") -> str:
    (repository.copy / ".git" / "info").mkdir(exist_ok=True)
    (repository.copy / ".git" / "info" / "attributes").write_text("* !filter\n")
    return repository.commit({".gitattributes": attributes, "dir/x.dat": POINTER, "other": b"y" * 130})


def test_the_content_takes_the_pointers_place(repository: Repository, root: Path, tmp_path: Path):
    store(repository, CONTENT)
    (repository.copy / "dir").mkdir()
    (repository.copy / "dir" / "x.dat").touch()
    (repository.copy / "dir" / "x.dat").chmod(0o755)
    lfs = GitForge("local", root=root).lfs(PROJECT)
    report = checkout(repository.bare, commit(repository), tmp_path / "out", lfs=lfs)
    assert report.not_fetched == ()
    assert (tmp_path / "out" / "dir" / "x.dat").read_bytes() == CONTENT
    assert (tmp_path / "out" / "dir" / "x.dat").stat().st_mode & 0o111 == 0o111
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".gitattributes", "dir", "other"]


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (None, "git lfs push"),
        (CONTENT[:-1], "another size"),
        (CONTENT[:-1] + b"!", "damaged"),
    ],
)
def test_what_cannot_be_had_keeps_its_pointer(
    repository: Repository, root: Path, tmp_path: Path, stored: bytes | None, reason: str
):
    if stored is not None:
        store(repository, stored)
    lfs = GitForge("local", root=root).lfs(PROJECT)
    report = checkout(repository.bare, commit(repository), tmp_path / "out", lfs=lfs)
    assert [(gap.path, gap.what) for gap in report.not_fetched] == [("dir/x.dat", "LFS file")]
    assert reason in report.not_fetched[0].reason
    assert (tmp_path / "out" / "dir" / "x.dat").read_bytes() == POINTER


def test_without_a_store(repository: Repository, tmp_path: Path):
    report = checkout(repository.bare, commit(repository), tmp_path / "out")
    assert [str(gap) for gap in report.not_fetched] == [
        "LFS file dir/x.dat not fetched: LFS is off for this project"
    ]


def test_a_pointer_that_is_no_lfs_file_by_the_attributes(repository: Repository, tmp_path: Path):
    report = checkout(repository.bare, commit(repository, attributes=b"* text\n"), tmp_path / "out")
    assert report.not_fetched == ()


def test_the_limit_counts_the_content(repository: Repository, root: Path, tmp_path: Path):
    store(repository, CONTENT)
    lfs = GitForge("local", root=root).lfs(PROJECT)
    with pytest.raises(TooLarge, match="more than 5000 bytes"):
        checkout(
            repository.bare, commit(repository), tmp_path / "out", lfs=lfs, limits=CheckoutLimits(size=5000)
        )


@needs_lfs
def test_what_git_lfs_pushed(repository: Repository, root: Path, tmp_path: Path):
    repository.git("lfs", "install", "--local")
    repository.git("lfs", "track", "*.dat")
    sha = repository.commit({"x.dat": CONTENT})
    lfs = GitForge("local", root=root).lfs(PROJECT)
    report = checkout(repository.bare, sha, tmp_path / "out", lfs=lfs)
    assert report.not_fetched == ()
    assert repository.git("cat-file", "blob", f"{sha}:x.dat").encode() + b"\n" == POINTER
    assert (tmp_path / "out" / "x.dat").read_bytes() == CONTENT
