"""Who people are, who we are, and what is missing."""

import pytest

from reana_bridge.forges.base import Access
from reana_bridge.forges.github.forge import GithubForge
from tests.forges.github.conftest import PROJECT, Place

GRANTED = {"checks": "write", "pull_requests": "write", "contents": "read", "metadata": "read"}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("none", Access.NONE),
        ("read", Access.READ),
        ("triage", Access.READ),
        ("write", Access.WRITE),
        ("maintain", Access.MAINTAIN),
        ("admin", Access.MAINTAIN),
    ],
)
def test_access(place: Place, forge: GithubForge, role: str, expected: Access) -> None:
    user = place.github.user("somebody")
    place.repository.members[user.id] = role
    assert forge.access(PROJECT, "somebody") is expected
    assert forge.access(PROJECT, "somebody", str(user.id)) is expected


def test_on_a_public_repository_everybody_reads(place: Place) -> None:
    place.repository.private = False
    place.github.user("anybody")
    assert place.with_token().access(PROJECT, "anybody") is Access.READ


@pytest.mark.parametrize(("user", "user_id"), [("nobody-there", ""), ("", ""), ("alice", "1"), ("a/b", "")])
def test_who_is_not_that_person_has_no_access(place: Place, user: str, user_id: str) -> None:
    assert place.with_token().access(PROJECT, user, user_id) is Access.NONE


def test_identity_is_asked_once(place: Place) -> None:
    forge = place.with_token()
    assert {(forge.identity().id, forge.identity().name) for _ in range(3)} == {
        (str(place.bot.id), "reana-bot")
    }
    assert len(place.github.requests()) == 1


def test_identity_of_an_app(place: Place) -> None:
    identity = place.with_app().identity()
    assert (identity.id, identity.name) == (str(place.app.bot.id), "reana[bot]")


def test_identity_of_an_app_that_is_nowhere_installed(place: Place) -> None:
    place.github.world.installations.clear()
    identity = place.with_app().identity()
    assert (identity.id, identity.name) == ("", "reana[bot]")


@pytest.mark.parametrize(
    ("scopes", "role", "missing"),
    [
        (["repo", "admin:repo_hook"], "admin", []),
        (["repo"], "admin", []),
        (["repo"], "write", ["no administrator"]),
        (["repo"], "read", ["role `write`"]),
        (["public_repo"], "admin", ["`admin:repo_hook`", "may not see"]),
        ([], "admin", ["`repo`", "`admin:repo_hook`", "may not see"]),
    ],
)
def test_rights_of_a_token(place: Place, scopes: list[str], role: str, missing: list[str]) -> None:
    user = place.github.user("helper")
    place.repository.members[user.id] = role
    found = place.with_token(token=place.github.token(user, scopes)).rights(PROJECT)
    visible = [text for text in found if "may not see" not in text or "may not see" in missing]
    assert [any(word in text for text in visible) for word in missing if word != "may not see"] == [
        True for word in missing if word != "may not see"
    ]
    assert bool(visible) == bool(missing)


@pytest.mark.parametrize(
    ("permissions", "events", "missing"),
    [
        (GRANTED, {"push", "pull_request", "issue_comment"}, []),
        (GRANTED | {"checks": "read"}, {"push", "pull_request", "issue_comment"}, ["checks: write"]),
        (
            {"metadata": "read", "contents": "write"},
            {"push"},
            ["checks: write", "pull requests: write", "`pull_request`", "`issue_comment`"],
        ),
    ],
)
def test_rights_of_an_app(
    place: Place, permissions: dict[str, str], events: set[str], missing: list[str]
) -> None:
    app = place.github.app("weak", permissions=permissions, events=events)
    place.github.install(app, [place.repository])
    forge = place.with_app(app_id=str(app.id), app_key=app.key)
    found = forge.rights(None)
    assert all(any(word in text for text in found) for word in missing)
    assert len(found) == len(missing)
    assert len(forge.rights(PROJECT)) >= len(missing)
    assert bool(forge.rights(PROJECT)) == bool(missing)


def test_a_suspended_installation_and_one_with_less_is_named(place: Place) -> None:
    (installation,) = place.github.world.installations.values()
    installation.suspended_at = 1.0
    installation.permissions = {"metadata": "read", "contents": "read", "pull_requests": "write"}
    found = " ".join(place.with_app().rights(PROJECT))
    assert "suspended" in found
    assert "checks: write`: an owner has to accept" in found


def test_allowance_and_clock(place: Place, forge: GithubForge) -> None:
    assert forge.allowance() is None
    assert forge.clock_offset() is None
    forge.facts(PROJECT)
    allowance, offset = forge.allowance(), forge.clock_offset()
    assert allowance
    assert allowance.limit == 5000
    assert allowance.remaining < 5000
    assert offset is not None
    assert abs(offset) < 60


def test_the_clock_of_the_forge(place: Place) -> None:
    forge = place.with_token(clock=lambda: place.github.world.clock() - 3600)
    forge.facts(PROJECT)
    offset = forge.clock_offset()
    assert offset
    assert 3500 < offset < 3700
