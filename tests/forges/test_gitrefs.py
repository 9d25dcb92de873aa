"""One request for refs: what is asked, what the answer becomes, and when git is asked instead."""

from pathlib import Path

import pytest

from reana_bridge.forges.base import ForgeError
from reana_bridge.forges.githttp import AnsweredOtherwise, GitHttp
from reana_bridge.forges.gitrefs import ask_refs, listing, question
from reana_bridge.forges.remote_git import parse_listing
from tests.forges.conftest import Repository, git
from tests.forges.githttp import serve

A, B = "a" * 40, "b" * 40
TYPE = {"Content-Type": "application/x-git-upload-pack-result"}


def line(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


def test_the_question():
    assert question(["HEAD", "refs/heads/"]) == (
        b"0014command=ls-refs\n00010009peel\n000csymrefs\n"
        b"0014ref-prefix HEAD\n001bref-prefix refs/heads/\n0000"
    )


@pytest.mark.parametrize(
    ("answer", "refs", "default"),
    [
        (b"0000", {}, ""),
        (line(f"{A} refs/heads/x\n") + b"0000", {"refs/heads/x": A}, ""),
        (line(f"{A} refs/heads/x") + b"0000", {"refs/heads/x": A}, ""),
        (line(f"{A} HEAD symref-target:refs/heads/main\n") + b"0000", {}, "main"),
        (line(f"{A} refs/tags/v peeled:{B}\n") + b"0000", {"refs/tags/v": B}, ""),
        (line(f"{A * 1}{'a' * 24} refs/heads/x\n") + b"0000", {"refs/heads/x": "a" * 64}, ""),
        (line(f"{A} refs/heads/x new-thing:1\n") + b"0000", {"refs/heads/x": A}, ""),
    ],
)
def test_answers(answer: bytes, refs: dict[str, str], default: str):
    found = parse_listing(listing(answer), 0.0)
    assert (found.refs, found.default_branch) == (refs, default)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"0004",
        b"0001",
        b"00ff",
        line(f"{A} refs/heads/x\n"),
        line("ERR no\n") + b"0000",
        line(f"{A[:-1]} refs/heads/x\n") + b"0000",
        b"-004" + b"0000",
    ],
)
def test_what_is_no_answer(answer: bytes):
    with pytest.raises(AnsweredOtherwise):
        listing(answer)


def test_the_same_as_git_says(root: Path, repository: Repository):
    first = repository.commit({"a": b"1"})
    repository.git("tag", "-a", "v1", "-m", "x")
    repository.git("tag", "light")
    repository.push("main", "v1", "light", "main:refs/heads/ä/b")
    git(repository.bare, "update-ref", "refs/merge-requests/5/head", first)
    with serve(root) as server:
        url = f"{server.url}/group/name.git"
        prefixes = ["HEAD", "refs/heads/", "refs/tags/"]
        asked = ask_refs(GitHttp(timeout=5.0), url, prefixes, authorization="")
        by_git = git(root, "ls-remote", "--symref", url).encode("utf-8", "surrogateescape")
    own, other = parse_listing(asked, 0.0), parse_listing(by_git, 0.0)
    assert own.default_branch == other.default_branch == "main"
    assert own.refs == {ref: sha for ref, sha in other.refs.items() if "merge-requests" not in ref}
    assert len(own.refs) == 4


@pytest.mark.parametrize(
    ("status", "headers"),
    [(401, {}), (404, {}), (500, {}), (302, {"Location": "/x"}), (200, {}), (200, TYPE)],
)
def test_when_git_is_asked_instead(root: Path, status: int, headers: dict[str, str]):
    http = GitHttp(timeout=5.0)
    with serve(root) as server:
        server.answers["/"] = (status, headers)
        with pytest.raises(AnsweredOtherwise):
            ask_refs(http, f"{server.url}/x.git", ["HEAD"], authorization="Basic x")
        assert server.asked == [("/x.git/git-upload-pack", "Basic x")]


def test_a_server_that_is_away():
    with pytest.raises(ForgeError, match="could not be asked"):
        ask_refs(GitHttp(timeout=5.0), "http://127.0.0.1:9/x.git", ["HEAD"], authorization="")
