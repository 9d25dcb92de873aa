"""Plain git as a forge: what it answers, and the one note a commit that it shows."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reana_bridge.forges import gitnotes
from reana_bridge.forges.base import CommitGone, Forge, ForgeError, ForgeRefused, Note, Status, StatusState
from reana_bridge.forges.git import GitForge
from reana_bridge.model.projects import Project
from tests.forges.conftest import Repository, git

PROJECT = Project("local", "group/name")


@pytest.fixture
def forge(root: Path) -> GitForge:
    return GitForge("local", root=root, clock=lambda: 1_790_000_000.9)


def status(sha: str, state: StatusState = StatusState.SUCCESS, **changes: str) -> Status:
    values = {"context": "reana/fit", "description": "all good", "url": "http://b/runs/1"} | changes
    return Status(sha=sha, ref="refs/heads/main", state=state, **values)


def test_it_is_a_forge(forge: GitForge):
    checked: Forge = forge
    assert (checked.name, checked.kind) == ("local", "git")


@pytest.mark.parametrize("place", ["group/name.git", "group/name"])
def test_where_a_project_lies(forge: GitForge, root: Path, tmp_path: Path, place: str):
    Repository(root / place, tmp_path / "copy")
    assert forge.repository(PROJECT) == root / place


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("group/none", "there is no bare repository"),
        ("group", "there is no bare repository"),
        ("link", "leads out of"),
        ("folder/inner", "leads out of"),
        ("group/name.git/objects", "there is no bare repository"),
        ("../outside", "leads out of"),
        (".", "leads out of"),
    ],
)
def test_what_is_not_a_project(forge: GitForge, root: Path, repository: Repository, path: str, reason: str):
    outside = Repository(root.parent / "outside" / "inner", root.parent / "copy")
    (root / "link.git").symlink_to(outside.bare)
    (root / "folder").symlink_to(outside.bare.parent)
    with pytest.raises(ForgeRefused, match=reason):
        forge.heads(Project("local", path))


def test_check(forge: GitForge, root: Path, monkeypatch):
    assert forge.check() == []
    [missing] = GitForge("local", root=root / "none").check()
    assert "there is no directory" in missing
    monkeypatch.setenv("PATH", str(root))
    [no_git] = forge.check()
    assert "install git" in no_git


def test_an_old_git(forge: GitForge, tmp_path: Path, monkeypatch):
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.7.4\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert forge.check() == ["forge local: git version 2.7.4 is too old; git 2.31 or newer is needed"]


def test_heads(forge: GitForge, repository: Repository):
    first = repository.commit({"a": b"1"})
    repository.git("tag", "light")
    repository.git("tag", "-a", "annotated", "-m", "x")
    repository.git("tag", "-a", "nested", "-m", "x", "annotated")
    second = repository.commit({"a": b"2"})
    repository.push("--tags", "HEAD:refs/heads/topic/é", "HEAD:refs/pull/1/head")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    git(repository.bare, "update-ref", "refs/tags/tree", tree)
    git(repository.bare, "tag", "-a", "blob", "-m", "x", repository.blob(b"x"))
    (repository.bare / "refs" / "heads" / os.fsdecode(b"\xff")).write_text(first)
    assert forge.heads(PROJECT) == {
        "refs/heads/main": second,
        "refs/heads/topic/é": second,
        "refs/tags/annotated": first,
        "refs/tags/light": first,
        "refs/tags/nested": first,
    }


@pytest.mark.parametrize(
    ("ref", "there"),
    [
        ("refs/heads/main", True),
        ("refs/tags/v1", True),
        ("refs/heads/none", False),
        ("main", False),
        ("HEAD", False),
        ("", False),
        ("--all", False),
        ("refs/heads/main~0", False),
        ("refs/heads/main^", False),
        ("refs/heads/main@{0}", False),
        ("refs/heads/../heads/main", False),
        ("refs/heads/main\nrefs/heads/main", False),
        ("refs/heads/main:a", False),
    ],
)
def test_head(forge: GitForge, repository: Repository, ref: str, there: bool):
    sha = repository.commit({"a": b"1"})
    repository.git("tag", "-a", "v1", "-m", "x")
    repository.push("--tags")
    assert forge.head(PROJECT, ref) == (sha if there else None)


def test_a_deleted_branch(forge: GitForge, repository: Repository):
    repository.commit({"a": b"1"})
    repository.push("HEAD:refs/heads/topic")
    repository.push("--delete", "topic")
    assert forge.head(PROJECT, "refs/heads/topic") is None


def test_default_branch(forge: GitForge, repository: Repository):
    assert forge.default_branch(PROJECT) == "main"
    git(repository.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert forge.default_branch(PROJECT) == "trunk"
    git(repository.bare, "update-ref", "--no-deref", "HEAD", repository.commit())
    with pytest.raises(ForgeRefused, match="names no branch"):
        forge.default_branch(PROJECT)


@pytest.mark.parametrize("sha", ["1" * 40, "main", "--upload-pack=x"])
def test_fetching_what_is_not_there(forge: GitForge, repository: Repository, tmp_path: Path, sha: str):
    repository.commit()
    with pytest.raises(CommitGone):
        forge.fetch(PROJECT, sha, tmp_path / "cache")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a repository to another user")
def test_a_repository_of_another_user(forge: GitForge, repository: Repository, tmp_path: Path):
    sha = repository.commit({"a": b"1"})
    for path in [repository.bare, *repository.bare.rglob("*")]:
        os.chown(path, 12345, 12345)
    forge.fetch(PROJECT, sha, tmp_path / "cache")
    forge.post_status(PROJECT, status(sha))
    assert forge.heads(PROJECT) == {"refs/heads/main": sha}


def test_checkout_names_what_is_missing(forge: GitForge, repository: Repository, tmp_path: Path):
    sha = repository.tree([("100644", repository.blob(b"1"), b"a"), ("160000", "1" * 40, b"sub")])
    forge.fetch(PROJECT, sha, tmp_path / "cache")
    [missing] = forge.checkout(PROJECT, sha, tmp_path / "cache", tmp_path / "out")
    assert missing == "submodule sub not fetched: `.gitmodules` has no URL for it"
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


def test_status_and_note_make_one_note(forge: GitForge, repository: Repository):
    sha = repository.commit()
    assert forge.read_note(PROJECT, sha) is None
    forge.post_status(PROJECT, status(sha, StatusState.PENDING, description="", url=""))
    forge.post_status(
        PROJECT, status(sha, StatusState.RUNNING, context="reana/a", description="step 2/4\n`fit`")
    )
    forge.post_note(PROJECT, Note(sha=sha, merge_request=None, body="\n# Title\n\nText — µ\n\n"))
    forge.post_status(PROJECT, status(sha))
    assert forge.read_note(PROJECT, sha) == (
        "reana/a: running - step 2/4 `fit` - http://b/runs/1\n"
        "reana/fit: success - all good - http://b/runs/1\n"
        "\n"
        "# Title\n\nText — µ\n"
    )
    assert git(repository.bare, "notes", "--ref=reana-bridge", "show", sha).startswith("reana/a: running")


def test_the_same_again_changes_nothing(forge: GitForge, repository: Repository):
    sha = repository.commit()
    for _ in range(3):
        forge.post_status(PROJECT, status(sha))
        forge.post_note(PROJECT, Note(sha=sha, merge_request=None, body="text"))
    assert git(repository.bare, "rev-list", "--count", gitnotes.REF) == "2"


def test_the_same_notes_are_the_same_commit(forge: GitForge, repository: Repository):
    sha = repository.commit()
    tips: set[str] = set()
    for _ in range(2):
        forge.post_status(PROJECT, status(sha))
        tips.add(git(repository.bare, "rev-parse", gitnotes.REF))
        git(repository.bare, "update-ref", "-d", gitnotes.REF)
    assert len(tips) == 1
    shown = git(repository.bare, "log", "-1", "--format=%an %ae %at %cn %ct", *tips)
    assert shown == "reana-bridge reana-bridge@localhost 1790000000 reana-bridge 1790000000"


@pytest.mark.parametrize(
    "body", ["reana/fit: success - mine", "reana/x: y\n\nz", "\n\ntext", "data 5\nfrom x\ndone"]
)
def test_a_report_cannot_pass_for_a_status(forge: GitForge, repository: Repository, body: str):
    sha = repository.commit()
    forge.post_note(PROJECT, Note(sha=sha, merge_request=None, body=body))
    forge.post_status(PROJECT, status(sha))
    top, report = (forge.read_note(PROJECT, sha) or "").split("\n\n", 1)
    assert (top, report) == ("reana/fit: success - all good - http://b/runs/1", body.strip("\n") + "\n")


def test_the_notes_of_people_stay(forge: GitForge, repository: Repository):
    one, two = repository.commit(), repository.commit()
    repository.git("notes", "--ref=reana-bridge", "add", "-m", "by hand", one)
    repository.push("refs/notes/reana-bridge")
    forge.post_status(PROJECT, status(one))
    forge.post_status(PROJECT, status(two))
    assert (forge.read_note(PROJECT, one) or "").endswith("\n\nby hand\n")


def test_many_notes(forge: GitForge, repository: Repository):
    """Beyond a few hundred notes git fans them out into directories."""
    commit = "commit refs/heads/main\ncommitter J <j@e> {} +0000\ndata 1\nx\n"
    stream = "".join(commit.format(1700000000 + number) for number in range(600))
    git(repository.bare, "fast-import", "--quiet", data=stream.encode())
    shas = git(repository.bare, "rev-list", "main").split()
    lines = "".join(f"N inline {sha}\ndata 4\nold\n" for sha in shas)
    notes = f"commit {gitnotes.REF}\ncommitter J <j@e> 1 +0000\ndata 1\nx\n{lines}"
    git(repository.bare, "fast-import", "--quiet", data=notes.encode())
    forge.post_status(PROJECT, status(shas[0]))
    assert forge.read_note(PROJECT, shas[0]) == "reana/fit: success - all good - http://b/runs/1\n\nold\n"
    assert forge.read_note(PROJECT, shas[1]) == "old\n"
    assert len(git(repository.bare, "notes", "--ref=reana-bridge", "list").split("\n")) == 600


def test_many_writers_lose_nothing(forge: GitForge, repository: Repository):
    shas = [repository.commit(push=False) for _ in range(2)]
    repository.push()

    def write(number: int) -> None:
        forge.post_status(PROJECT, status(shas[number % 2], context=f"reana/{number:02}"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(16)))
    for parity, sha in enumerate(shas):
        lines = (forge.read_note(PROJECT, sha) or "").splitlines()
        assert [line.split(":")[0] for line in lines] == [
            f"reana/{number:02}" for number in range(parity, 16, 2)
        ]


def test_somebody_else_writes_in_between(forge: GitForge, repository: Repository):
    sha, other = repository.commit(), repository.commit()
    forge.post_status(PROJECT, status(sha, StatusState.PENDING))
    calls: list[str] = []

    def change(text: str) -> str:
        calls.append(text)
        if len(calls) == 1:
            git(repository.bare, "notes", "--ref=reana-bridge", "add", "-m", "by hand", other)
        return gitnotes.with_body(text, "report")

    gitnotes.rewrite(repository.bare, sha, change, now=1.0)
    assert len(calls) == 2
    assert forge.read_note(PROJECT, other) == "by hand\n"
    assert (forge.read_note(PROJECT, sha) or "").endswith("\n\nreport\n")
    assert not list(repository.bare.glob("fast_import_crash_*"))


def test_a_first_note_that_somebody_else_writes_as_well(forge: GitForge, repository: Repository):
    sha = repository.commit()
    calls: list[str] = []

    def change(text: str) -> str:
        calls.append(text)
        if len(calls) == 1:
            git(repository.bare, "notes", "--ref=reana-bridge", "add", "-m", "by hand", sha)
        return gitnotes.with_status(text, status(sha))

    gitnotes.rewrite(repository.bare, sha, change, now=1.0)
    assert forge.read_note(PROJECT, sha) == "reana/fit: success - all good - http://b/runs/1\n\nby hand\n"


@pytest.mark.parametrize("sha", ["1" * 40, "main", "-x"])
def test_a_note_on_what_is_gone(forge: GitForge, repository: Repository, sha: str):
    repository.commit()
    with pytest.raises(CommitGone):
        forge.post_status(PROJECT, status(sha))


def test_a_stale_lock_of_the_ref_is_an_error_that_names_it(forge: GitForge, repository: Repository):
    sha = repository.commit()
    forge.post_status(PROJECT, status(sha))
    (repository.bare / "refs" / "notes" / "reana-bridge.lock").touch()
    with pytest.raises(ForgeError, match=r"reana-bridge\.lock"):
        forge.post_status(PROJECT, status(sha, StatusState.FAILURE))


def test_our_notes_do_not_wake_hooks(forge: GitForge, repository: Repository, tmp_path: Path):
    sha = repository.commit()
    for name in ("post-receive", "update", "reference-transaction", "post-update"):
        hook = repository.bare / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    forge.post_status(PROJECT, status(sha))
    assert not (tmp_path / "ran").exists()
    assert subprocess.run(["git", "-C", str(repository.bare), "fsck"], capture_output=True).returncode == 0
