"""Tokens of an App: found, kept, replaced, and never told."""

import pytest

from reana_bridge.forges.base import ForgeError, ForgeRefused, StatusState
from reana_bridge.model.projects import Project
from tests.forges.github.conftest import PROJECT, Place


def asked_for_tokens(place: Place) -> int:
    return len(place.github.requests("POST", "/access_tokens$"))


def test_one_token_serves_all_repositories_of_an_installation(place: Place) -> None:
    other = place.github.project("atlas/other")
    next(iter(place.github.world.installations.values())).repositories.append(other)
    forge = place.with_app()
    for project in (PROJECT, Project("github", "atlas/other"), PROJECT):
        forge.facts(project)
    assert asked_for_tokens(place) == 1
    assert len(place.github.requests("GET", "/installation$")) == 2


def test_a_token_is_replaced_before_its_end(place: Place) -> None:
    now = [place.github.world.clock()]
    forge = place.with_app(clock=lambda: now[0])
    for later, expected in [(0, 1), (3000, 1), (3400, 2)]:
        now[0] = place.github.world.clock() + later
        forge.api.credentials.of(PROJECT)
        assert asked_for_tokens(place) == expected


def test_a_token_that_was_revoked_is_replaced_at_once(place: Place) -> None:
    forge = place.with_app()
    forge.facts(PROJECT)
    place.github.world.tokens.clear()
    assert forge.facts(PROJECT).path == "atlas/ttbar"
    assert asked_for_tokens(place) == 2


def test_an_app_that_was_installed_again_is_found(place: Place) -> None:
    forge = place.with_app()
    forge.facts(PROJECT)
    for installation in list(place.github.world.installations.values()):
        place.github.uninstall(installation)
    with pytest.raises(ForgeRefused, match="not installed"):
        forge.facts(PROJECT)
    place.github.install(place.app, [place.repository])
    assert forge.facts(PROJECT).path == "atlas/ttbar"


def test_an_app_that_is_not_installed_there(place: Place) -> None:
    place.github.project("atlas/other")
    with pytest.raises(ForgeRefused, match="not installed on github:atlas/other"):
        place.with_app().facts(Project("github", "atlas/other"))


def test_a_suspended_installation_is_refused(place: Place) -> None:
    for installation in place.github.world.installations.values():
        installation.suspended_at = 1.0
    with pytest.raises(ForgeRefused, match="suspended"):
        place.with_app().facts(PROJECT)


def test_git_gets_a_token_that_may_only_read_code(place: Place) -> None:
    forge = place.with_app()
    forge.heads(PROJECT)
    issued = [one.permissions for one in place.github.world.tokens.values() if one.installation]
    assert issued == [{"contents": "read"}]


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_that_cannot_sign(place: Place, key: str) -> None:
    forge = place.with_app(app_key=key or " ")
    with pytest.raises(ForgeError, match="private key"):
        forge.facts(PROJECT)
    (problem,) = forge.check()
    assert "PEM" in problem
    assert "AAAA" not in problem


def test_the_key_of_another_app(place: Place) -> None:
    other = place.github.app("other")
    forge = place.with_app(app_key=other.key)
    assert forge.check() == []
    with pytest.raises(ForgeError, match="put a new one"):
        forge.facts(PROJECT)


def test_a_lost_token_is_only_a_failure(place: Place) -> None:
    place.github.fail("POST", "/access_tokens", how="after")
    with pytest.raises(ForgeError) as failed:
        place.with_app().post_status(PROJECT, place.status(StatusState.PENDING))
    assert type(failed.value) is ForgeError


def test_no_secret_is_shown(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for forge in (place.with_token(), place.with_app()):
        forge.post_status(PROJECT, place.status())
        forge.heads(PROJECT)
        place.github.fail("*", "", status=500, times=1)
        with pytest.raises(ForgeError) as failed:
            forge.facts(PROJECT)
        shown = caplog.text + repr(failed.value) + repr(forge.api.credentials.of(PROJECT))
        for secret in [*place.github.world.tokens, place.app.key[40:80]]:
            assert secret not in shown
