"""Pull requests and repositories, also moved, forked and paged ones."""

import pytest

from reana_bridge.forges.base import ForgeRefused, MergeRequestFacts
from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.model.projects import Project
from tests.forges.github.conftest import PROJECT, Place


def test_a_pull_request(place: Place, forge: GithubForge) -> None:
    assert forge.merge_request(PROJECT, 1) == MergeRequestFacts(
        number=1,
        sha=place.sha,
        ref="refs/pull/1/head",
        source_branch="change",
        target_branch="main",
        source_project_id=str(place.repository.id),
        author="alice",
    )
    assert len(place.github.reads("/pulls/")) == 1


def test_labels_and_draft(place: Place) -> None:
    place.github.label(place.repository, place.pull, "physics")
    place.github.set_draft(place.repository, place.pull, True)
    found = place.with_token().merge_request(PROJECT, 1)
    assert found
    assert (found.labels, found.draft, found.open) == (("physics",), True, True)


@pytest.mark.parametrize("merged", [True, False])
def test_a_closed_one(place: Place, merged: bool) -> None:
    place.github.close(place.repository, place.pull, merged=merged)
    forge = place.with_token()
    found = forge.merge_request(PROJECT, 1)
    assert found
    assert not found.open
    assert forge.open_merge_requests(PROJECT) == []


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_merged_one_says_by_which_commit(place: Place, method: str) -> None:
    place.pull.merge_commit_sha = "a" * 40  # what GitHub tries to merge it as
    before = place.with_token().merge_request(PROJECT, 1)
    merged = place.github.merge(place.repository, place.pull, method=method)
    after = place.with_token().merge_request(PROJECT, 1)
    assert before
    assert after
    assert (before.merged_sha, after.merged_sha) == ("", merged)


@pytest.mark.parametrize("number", [2, 999])
def test_there_is_none(place: Place, number: int) -> None:
    assert place.with_token().merge_request(PROJECT, number) is None


@pytest.mark.parametrize("gone", [False, True])
def test_forks(place: Place, gone: bool) -> None:
    stranger = place.github.user("stranger")
    fork = place.github.fork(place.repository, "stranger/ttbar", stranger)
    sha = place.github.push(fork, "theirs", by=stranger)
    place.github.pull(place.repository, "theirs", source=fork, by=stranger)
    if gone:
        place.github.delete(fork)
    found = place.with_app().merge_request(PROJECT, 2)
    assert found
    assert (found.sha, found.fork, found.author) == (sha, True, "stranger")
    assert found.source_project_id == ("" if gone else str(fork.id))


def test_open_ones_cost_nothing_while_nothing_changes(place: Place, forge: GithubForge) -> None:
    assert [one.number for one in forge.open_merge_requests(PROJECT)] == [1]
    assert [one.number for one in forge.open_merge_requests(PROJECT)] == [1]
    assert [request.status for request in place.github.reads("/pulls$")] == [200, 304]
    sha = place.github.push(place.repository, "change")
    assert [one.sha for one in forge.open_merge_requests(PROJECT)] == [sha]
    assert [request.status for request in place.github.reads("/pulls$")] == [200, 304, 200]


def test_more_than_a_page(place: Place) -> None:
    for number in range(104):
        place.github.pull(place.repository, "change", title=str(number))
    forge = place.with_token()
    for _ in range(2):
        assert [one.number for one in forge.open_merge_requests(PROJECT)] == list(range(105, 0, -1))
    assert [request.status for request in place.github.reads("/pulls$")] == [200, 200, 304, 304]


@pytest.mark.parametrize("private", [True, False])
def test_facts(place: Place, forge: GithubForge, private: bool) -> None:
    place.repository.private, place.repository.archived = private, not private
    facts = forge.facts(PROJECT)
    assert (facts.id, facts.path) == (str(place.repository.id), "atlas/ttbar")
    assert (facts.private, facts.archived, facts.default_branch) == (private, not private, "main")


@pytest.mark.parametrize("remembered", [True, False])
def test_a_renamed_repository_is_found(place: Place, forge: GithubForge, remembered: bool) -> None:
    if remembered:
        forge.remember(PROJECT, str(place.repository.id))
    place.github.rename(place.repository, "atlas/top")
    assert forge.facts(PROJECT).path == "atlas/top"
    assert forge.merge_request(PROJECT, 1)
    assert len(forge.open_merge_requests(PROJECT)) == 1
    forge.post_status(PROJECT, place.status())
    shown = [
        *place.github.statuses(place.repository, place.sha),
        *place.github.checks(place.repository, place.sha),
    ]
    assert len(shown) == 1
    assert forge.heads(PROJECT)["refs/heads/change"] == place.sha
    before = len(place.github.requests())
    forge.post_status(PROJECT, place.status(attempt=2, run="r2"), {"attempt": 1})
    assert not [r for r in place.github.requests()[before:] if r.status >= 300], (
        "it is remembered where it is"
    )


def test_another_repository_under_the_old_name_is_not_it(place: Place) -> None:
    forge = place.with_token()
    forge.remember(PROJECT, str(place.repository.id))
    place.github.rename(place.repository, "atlas/top")
    other = place.github.project("atlas/ttbar", members={place.bot: "admin"})
    place.github.push(other, "main")
    place.github.push(other, "evil")
    place.github.pull(other, "evil")
    found = forge.merge_request(PROJECT, 1)
    assert found
    assert found.sha == place.sha


@pytest.mark.parametrize("path", ["ttbar", "atlas/sub/ttbar"])
def test_a_path_that_github_cannot_have(place: Place, path: str) -> None:
    with pytest.raises(ForgeRefused, match="owner/name"):
        place.with_token().facts(Project("github", path))


def test_no_such_repository(place: Place) -> None:
    with pytest.raises(ForgeRefused):
        place.with_token().facts(Project("github", "atlas/none"))
