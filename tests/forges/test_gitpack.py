"""What a push adds, asked for in one request: what is asked and believed, and when git fetches instead."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reana_bridge.forges.gitcache import fetch_commit, has_commit, is_fetched, tidy
from reana_bridge.forges.githttp import AnsweredOtherwise
from reana_bridge.forges.gitpack import pack, question
from reana_bridge.forges.remote_git import RemoteGit
from reana_bridge.model.projects import Project
from tests.forges.conftest import Repository, git
from tests.forges.githttp import GitHttp, serve

A, B = "a" * 40, "b" * 40
PROJECT = Project("lab", "group/name")


def line(content: bytes) -> bytes:
    return f"{len(content) + 4:04x}".encode() + content


HEAD = line(b"acknowledgments\n") + line(f"ACK {A}\n".encode())
READY = HEAD + line(b"ready\n") + b"0001" + line(b"packfile\n")


def test_the_question():
    assert question(A, [B]) == (
        b"0012command=fetch\n00010" + b"00ethin-pack\n0010no-progress\n000eofs-delta\n"
        b"0032want " + A.encode() + b"\n0032have " + B.encode() + b"\n0000"
    )
    with pytest.raises(AnsweredOtherwise):
        question("a" * 64, [B])


@pytest.mark.parametrize("between", [b"", line(b"\x02Counting\n"), b"0001"])
def test_a_pack(between: bytes):
    assert pack(READY + line(b"\x01PACK") + between + line(b"\x01rest") + b"0000") == b"PACKrest"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"0000",
        line(b"ERR upload-pack: not our ref\n"),
        line(b"ERR upload-pack: not our ref\n") + b"0000",
        line(b"acknowledgments\n") + line(b"NAK\n") + b"0000",
        HEAD + b"0000",
        READY + b"0000",
        READY + line(b"\x01nothing") + b"0000",
        READY + line(b"\x01PACK"),
        READY + line(b"\x01PACK") + line(b"\x03out of memory") + b"0000",
        HEAD + line(b"ready\n") + b"0001" + line(b"shallow-info\n") + b"0001" + line(b"\x01PACK") + b"0000",
    ],
)
def test_what_is_no_pack(answer: bytes):
    with pytest.raises(AnsweredOtherwise):
        pack(answer)


@pytest.fixture
def server(root: Path) -> Iterator[GitHttp]:
    with serve(root) as state:
        yield state


@pytest.fixture
def fetch(server: GitHttp, tmp_path: Path) -> Callable[[str], list[str]]:
    """Fetches a commit into one cache; what the server was asked for it."""
    forge = RemoteGit(
        base_url=server.url,
        url_of=lambda project: f"{server.url}/{project.path}.git",
        credentials=lambda project: None,
    )
    cache = tmp_path / "cache.git"

    def ask(sha: str) -> list[str]:
        server.asked.clear()
        forge.fetch(PROJECT, sha, cache)
        assert is_fetched(cache, sha)
        assert git(cache, "fsck", "--strict", "--connectivity-only", "--no-dangling") == ""
        return [path.removeprefix("/group/name.git") for path in server.requests]

    return ask


POST = "/git-upload-pack"


def test_a_push_costs_one_request(fetch: Callable[[str], list[str]], repository: Repository, tmp_path: Path):
    many = {f"f{number}": b"same but for the end %d" % number for number in range(150)}
    assert len(fetch(repository.commit(many))) > 1, "git makes the first fetch"
    for number in range(3):
        assert fetch(repository.commit({"f0": b"x" * 50 + b"%d" % number})) == [POST]
    tidy(tmp_path / "cache.git")
    git(tmp_path / "cache.git", "pack-refs", "--all")
    assert fetch(repository.commit({"a": b"packed refs"})) == [POST]
    assert fetch(repository.commit({name: b"changed" + text for name, text in many.items()})) == [POST]
    assert [*(tmp_path / "cache.git" / "objects" / "pack").glob("*.pack")], "many objects stay together"


def test_a_branch_of_an_older_commit_and_a_merge(fetch: Callable[[str], list[str]], repository: Repository):
    fetch(repository.commit({"a": b"1"}))
    main = repository.commit({"a": b"2"})
    fetch(main)
    repository.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    repository.commit({"b": b"1"}, push=False)
    assert fetch(_pushed(repository)) == [POST]
    repository.git("merge", "--quiet", "--no-edit", "main")
    assert fetch(_pushed(repository)) == [POST]


def test_a_history_that_was_rewritten(fetch: Callable[[str], list[str]], repository: Repository):
    fetch(repository.commit({"a": b"1"}))
    fetch(repository.commit({"a": b"2"}))
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    new = repository.commit({"a": b"3"}, push=False)
    repository.push("--force", "HEAD")
    git(repository.bare, "gc", "--quiet", "--prune=now")
    assert fetch(new) == [POST]


def test_a_history_with_nothing_in_common_is_left_to_git(
    fetch: Callable[[str], list[str]], repository: Repository
):
    fetch(repository.commit({"a": b"1"}))
    repository.git("checkout", "--quiet", "--orphan", "alone")
    repository.commit({"a": b"2"}, push=False)
    assert len(fetch(_pushed(repository))) > 1


def _pushed(repository: Repository) -> str:
    repository.push("HEAD")
    return repository.git("rev-parse", "HEAD")


def _packed(repository: Repository, *names: str) -> bytes:
    """A pack of just these objects."""
    shas = "".join(repository.git("rev-parse", name) + "\n" for name in names)
    place = repository.bare.parent / "one"
    git(repository.bare, "pack-objects", "--quiet", str(place), data=shas.encode())
    (found,) = repository.bare.parent.glob("one-*.pack")
    return found.read_bytes()


WHOLE = ("HEAD", "HEAD:", "HEAD:a")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(lambda repository: b"", id="nothing"),
        pytest.param(lambda repository: b"PACK", id="cut off"),
        pytest.param(lambda repository: _packed(repository, *WHOLE)[:-3], id="damaged"),
        pytest.param(lambda repository: _packed(repository, "HEAD"), id="a commit without its tree"),
        pytest.param(lambda repository: _packed(repository, "HEAD", "HEAD:"), id="a tree without its file"),
        pytest.param(lambda repository: _packed(repository, "HEAD:", "HEAD:a"), id="another thing"),
        pytest.param(lambda repository: _packed(repository, *WHOLE), id="a commit without its parent"),
    ],
)
def test_only_a_whole_history_is_believed(
    repository: Repository, tmp_path: Path, sent: Callable[[Repository], bytes]
):
    cache = tmp_path / "cache.git"
    first = repository.commit({"a": b"1"})
    fetch_commit(str(repository.bare), first, cache, protocol="file")
    between = repository.commit({"a": b"2"})
    last = repository.commit({"a": b"3"})
    answer, asked = sent(repository), list[list[str]]()

    def ask(here: list[str]) -> bytes:
        asked.append(here)
        return answer

    fetch_commit(str(repository.bare), last, cache, protocol="file", ask=ask)
    assert asked == [[first]]
    assert has_commit(cache, between)
    assert git(cache, "fsck", "--strict", "--connectivity-only", "--no-dangling") == ""
