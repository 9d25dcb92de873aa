"""Code comes by git, with the same rights."""

from pathlib import Path

import pytest

from reana_bridge.forges.base import CommitGone, ForgeRefused
from reana_bridge.forges.github.forge import GithubForge
from tests.forges.github.conftest import PROJECT, Place


def test_heads(place: Place, forge: GithubForge) -> None:
    place.github.tag(place.repository, "v1", place.sha, annotated=True)
    heads = forge.heads(PROJECT)
    assert heads["refs/heads/change"] == heads["refs/tags/v1"] == place.sha
    assert set(heads) == {"refs/heads/main", "refs/heads/change", "refs/tags/v1"}
    assert forge.default_branch(PROJECT) == "main"
    assert forge.head(PROJECT, "refs/pull/1/head") == place.sha
    assert forge.head(PROJECT, "refs/pull/2/head") is None


def test_a_forks_commit_comes_from_the_project(place: Place, forge: GithubForge, tmp_path: Path) -> None:
    stranger = place.github.user("stranger")
    fork = place.github.fork(place.repository, "stranger/ttbar", stranger)
    sha = place.github.push(fork, "theirs", {"fit.py": "print(1)"}, by=stranger)
    place.github.pull(place.repository, "theirs", source=fork, by=stranger)
    cache, work = tmp_path / "cache.git", tmp_path / "work"
    forge.fetch(PROJECT, sha, cache)
    work.mkdir()
    assert forge.checkout(PROJECT, sha, cache, work) == []
    assert (work / "fit.py").read_text() == "print(1)"
    paths = {request.path for request in place.github.requests(kind="git")}
    assert all(path.startswith("/atlas/ttbar.git/") for path in paths)


def test_a_commit_that_is_not_there(place: Place, forge: GithubForge, tmp_path: Path) -> None:
    with pytest.raises(CommitGone):
        forge.fetch(PROJECT, "0123456789" * 4, tmp_path / "cache.git")


def test_code_that_we_may_not_read(place: Place) -> None:
    stranger = place.github.token(place.github.user("stranger"))
    with pytest.raises(ForgeRefused):
        place.with_token(token=stranger).heads(PROJECT)
