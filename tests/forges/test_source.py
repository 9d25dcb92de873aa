"""What a cache answers about a commit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.forges import gitfiles, source
from reana_bridge.forges.base import CommitGone, ForgeRefused
from reana_bridge.forges.gitcache import fetch_commit
from reana_bridge.forges.gitcommand import OutputTooLarge, run_git
from tests.forges.conftest import Repository, git

GONE = "1" * 40


@pytest.fixture
def history(repository: Repository) -> dict[str, str]:
    """a - b - d (merge) - e on main, c a side branch of a; x on its own."""
    shas = {"a": repository.commit({"a": b"1", "old": b"content\n" * 9}, "First\n\nwith a body")}
    repository.git("checkout", "--quiet", "-b", "side")
    shas["c"] = repository.commit({"c": b"1"}, "Side")
    repository.git("checkout", "--quiet", "main")
    shas["b"] = repository.commit({"a": b"2", "old": None, "new": b"content\n" * 9}, "Second")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    shas["d"] = repository.git("rev-parse", "HEAD")
    shas["e"] = repository.commit({"e": b"1"}, "Last")
    repository.git("checkout", "--quiet", "--orphan", "alone")
    shas["x"] = repository.commit({}, "Alone")
    return shas


@pytest.mark.parametrize(
    ("one", "other", "base"), [("c", "b", "a"), ("e", "c", "c"), ("e", "x", None), ("a", "a", "a")]
)
def test_merge_base(repository: Repository, history: dict[str, str], one: str, other: str, base: str | None):
    found = source.merge_base(repository.bare, history[one], history[other])
    assert found == (history[base] if base else None)


@pytest.mark.parametrize(
    ("older", "newer", "between", "ancestor"),
    [
        ("a", "e", 4, True),
        ("b", "c", 1, False),
        ("e", "a", 0, False),
        ("a", "a", 0, True),
        ("x", "a", 1, False),
    ],
)
def test_distance(repository: Repository, history: dict[str, str], older, newer, between, ancestor):
    assert source.count_between(repository.bare, history[older], history[newer]) == between
    assert source.is_ancestor(repository.bare, history[older], history[newer]) is ancestor


@pytest.mark.parametrize(("limit", "expected"), [(10, "edba"), (2, "ed"), (1, "e")])
def test_first_parents(repository: Repository, history: dict[str, str], limit: int, expected: str):
    found = source.first_parents(repository.bare, history["e"], limit)
    assert found == [history[name] for name in expected]


def test_a_deep_history(repository: Repository):
    stream = "".join(
        f"commit refs/heads/main\ncommitter J <j@e> {1700000000 + number} +0000\ndata 1\nx\n"
        for number in range(5000)
    )
    git(repository.bare, "fast-import", "--quiet", data=stream.encode())
    tip = git(repository.bare, "rev-parse", "main")
    assert len(source.first_parents(repository.bare, tip, 10_000)) == 5000
    assert len(source.first_parents(repository.bare, tip, 50)) == 50


@pytest.mark.parametrize(
    ("before", "after", "limit", "paths", "complete"),
    [
        ("a", "b", 10, ("a", "new", "old"), True),
        ("a", "d", 10, ("a", "c", "new", "old"), True),
        ("a", "b", 2, ("a", "new"), False),
        ("a", "a", 10, (), True),
        (None, "a", 10, ("a", "old"), True),
        (None, "a", 1, ("a",), False),
    ],
)
def test_changed_files(
    repository: Repository, history: dict[str, str], before, after, limit, paths, complete
):
    start = history[before] if before else None
    changes = source.changed_files(repository.bare, start, history[after], limit)
    assert changes == source.Changes(paths=paths, complete=complete)


def test_message_and_time(repository: Repository, history: dict[str, str]):
    assert source.commit_message(repository.bare, history["a"]) == "First\n\nwith a body"
    assert source.commit_time(repository.bare, history["a"]) == 1790000000


def test_a_message_in_another_encoding_and_a_huge_one(repository: Repository):
    empty = ["commit", "--quiet", "--allow-empty", "--file=-"]
    repository.git("-c", "i18n.commitEncoding=latin1", *empty, data=b"M\xfcon")
    repository.push()
    assert source.commit_message(repository.bare, repository.git("rev-parse", "HEAD")) == "Müon"
    repository.git(*empty, data=b"x" * 3_000_000)
    repository.push()
    message = source.commit_message(repository.bare, repository.git("rev-parse", "HEAD"))
    assert message == "x" * source.MAXIMUM_MESSAGE


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("reana.yaml", b"type: serial\n"),
        ("dir/-rf", b"dash"),
        ("dir/a b", b"blank"),
        ("dir/é", b"accent"),
        ("empty", b""),
        ("link", b"type: serial\n"),
        ("outside", None),
        ("dangling", None),
        ("dir", None),
        ("nothing", None),
        ("../x", None),
        ("/reana.yaml", None),
        ("reana.yaml/x", None),
        ("--batch", None),
    ],
)
def test_read_file(repository: Repository, path: str, content: bytes | None):
    for name, target in {"link": "reana.yaml", "outside": "/etc/passwd", "dangling": "none"}.items():
        (repository.copy / name).symlink_to(target)
    files = {"reana.yaml": b"type: serial\n", "dir/-rf": b"dash", "dir/a b": b"blank", "empty": b""}
    sha = repository.commit(files | {"dir/é": b"accent"})
    assert source.read_file(repository.bare, sha, path, 1000) == content


def test_a_file_that_is_too_large_is_not_read(repository: Repository):
    sha = repository.commit({"reana.yaml": b"x" * 1001})
    with pytest.raises(source.TooLarge, match=r"reana\.yaml at .* has 1001 bytes; at most 1000 are read"):
        source.read_file(repository.bare, sha, "reana.yaml", 1000)
    assert source.read_file(repository.bare, sha, "reana.yaml", 1001) == b"x" * 1001


@pytest.mark.parametrize("path", ["", "a\nHEAD:a", "a\0"])
def test_paths_that_cannot_be(repository: Repository, path: str):
    with pytest.raises(ForgeRefused, match="not a path"):
        source.read_file(repository.bare, repository.commit({"a": b"1"}), path, 10)


QUESTIONS: dict[str, Callable[[Path, str, str], object]] = {
    "read_file": lambda cache, sha, known: source.read_file(cache, sha, "a", 10),
    "commit_message": lambda cache, sha, known: source.commit_message(cache, sha),
    "commit_time": lambda cache, sha, known: source.commit_time(cache, sha),
    "changed_files": lambda cache, sha, known: source.changed_files(cache, known, sha),
    "changed_files before": lambda cache, sha, known: source.changed_files(cache, sha, known),
    "merge_base": lambda cache, sha, known: source.merge_base(cache, known, sha),
    "is_ancestor": lambda cache, sha, known: source.is_ancestor(cache, sha, known),
    "first_parents": lambda cache, sha, known: source.first_parents(cache, sha, 3),
    "count_between": lambda cache, sha, known: source.count_between(cache, sha, known),
    "checkout": lambda cache, sha, known: source.checkout(cache, sha, cache.parent / "out"),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_a_commit_that_is_not_there(repository: Repository, question):
    known = repository.commit({"a": b"1"})
    for sha in (GONE, "main", "--all", "HEAD~1", ""):
        with pytest.raises(CommitGone):
            question(repository.bare, sha, known)


def gits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that git is started with from now on."""
    started: list[str] = []

    def run(arguments: list[str], **more: Any) -> tuple[int, bytes]:
        started.append(arguments[0])
        return run_git(arguments, **more)

    monkeypatch.setattr(gitfiles, "run_git", run)
    return started


def test_what_is_foreseen_is_read_by_one_git(repository: Repository, monkeypatch: pytest.MonkeyPatch):
    (repository.copy / "outside").symlink_to("/etc/passwd")
    files = {"a": b"1\n", "dir/b": b"", "large": b"x" * 11, "after": b"2"}
    sha = repository.commit(files, "Said")
    cache = repository.bare.parent / "cache.git"
    fetch_commit(str(repository.bare), sha, cache, protocol="file")
    started = gits(monkeypatch)
    for _ in range(2):
        source.foresee(cache, sha, ["no", "a", "outside", "dir/b", "../a", "large", "after"], 10)
        expected = {"no": None, "a": b"1\n", "outside": None, "dir//b": b"", "after": b"2"}
        assert {path: source.read_file(cache, sha, path, 10) for path in expected} == expected
        assert source.commit_message(cache, sha) == "Said"
    assert started == ["cat-file"]
    with pytest.raises(source.TooLarge, match="has 11 bytes"):
        source.read_file(cache, sha, "large", 10)
    with pytest.raises(source.TooLarge, match="has 2 bytes"):
        source.read_file(cache, sha, "a", 1)


def test_a_file_far_too_large_hides_no_other(repository: Repository):
    sha = repository.commit({"a": b"x" * 1_000_000, "b": b"2"})
    source.foresee(repository.bare, sha, ["a", "b"], 10)
    assert source.read_file(repository.bare, sha, "b", 10) == b"2"
    with pytest.raises(source.TooLarge, match="has 1000000 bytes"):
        source.read_file(repository.bare, sha, "a", 10)


def test_output_that_was_cut_off_anywhere_says_nothing_wrong(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
):
    (repository.copy / "outside").symlink_to("/etc/passwd")
    sha = repository.commit({"a": b"1\n\n", "b": b"", "c": b"3"})
    limits = dict.fromkeys(("", "a", "outside", "no", "b", "c"), 1000)
    names = "".join(f"{sha}:{path}\n" if path else f"{sha}\n" for path in limits).encode()
    asked = ["cat-file", "--batch", "--follow-symlinks"]
    _, whole = run_git(asked, directory=repository.bare, data=names)
    everything = list(gitfiles._objects(repository.bare, sha, limits))
    assert [found and found.content for found in everything[1:]] == [b"1\n\n", None, None, b"", b"3"]
    for end in range(len(whole)):

        def cut(*arguments: Any, **more: Any) -> tuple[int, bytes]:
            raise OutputTooLarge("too much", whole[:end])  # noqa: B023 - called in this turn

        monkeypatch.setattr(gitfiles, "run_git", cut)
        found = list(gitfiles._objects(repository.bare, sha, limits))
        told = [one for one in found if one is None or one.is_whole]
        assert told == everything[: len(told)]
        assert len(found) - len(told) <= 1


def test_nothing_is_believed_of_a_commit_that_is_not_whole(repository: Repository, tmp_path: Path):
    sha = repository.commit({"a": b"1"})
    cache = tmp_path / "cache.git"
    git(tmp_path, "init", "--quiet", "--bare", cache.name)
    source.foresee(cache, sha, ["a"], 10)
    with pytest.raises(CommitGone):
        source.read_file(cache, sha, "a", 10)
    commit = repository.bare / "objects" / sha[:2] / sha[2:]
    (cache / "objects" / sha[:2]).mkdir(parents=True)
    (cache / "objects" / sha[:2] / sha[2:]).write_bytes(commit.read_bytes())
    source.foresee(cache, sha, ["a"], 10)
    assert source.read_file(cache, sha, "a", 10) is None, "a fetch has brought no more of it yet"
    fetch_commit(str(repository.bare), sha, cache, protocol="file")
    assert source.read_file(cache, sha, "a", 10) == b"1"


def test_what_was_read_long_ago_is_forgotten():
    memory = gitfiles._Memory(3000)
    for number in range(3):
        memory.keep(Path("c"), GONE, str(number), b"x" * 1000)
    known = [memory.find(Path("c"), GONE, str(number)) for number in range(3)]
    assert known == [None, (b"x" * 1000,), (b"x" * 1000,)]
    memory.keep(Path("c"), GONE, "1", None)
    memory.keep(Path("c"), GONE, "4", b"y" * 4000)
    assert memory.find(Path("c"), GONE, "1") is None
    assert memory._held == 0
