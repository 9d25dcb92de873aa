"""The forge that settings make."""

from typing import Any

import pytest

from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.forges.hosted import is_hosted
from reana_bridge.forges.make import github
from reana_bridge.sections import ForgeSettings
from reana_bridge.settings import Settings, SettingsError


def make(**values: Any) -> GithubForge:
    entry = ForgeSettings.model_validate({"kind": "github", **values})
    return github("gh", entry, Settings())


def test_the_usual_one() -> None:
    forge = make(token="ghp_x")
    assert (forge.name, forge.kind, forge.base_url) == ("gh", "github", "https://github.com")
    assert forge.api.client.api_url == "https://api.github.com"
    assert is_hosted(forge)
    assert forge.check() == []


def test_an_enterprises_own() -> None:
    forge = make(token="ghp_x", url="https://git.example.org/", api_url="https://api.example.org/v3/")
    assert forge.base_url == "https://git.example.org"
    assert forge.api.client.api_url == "https://api.example.org/v3"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "forges.gh.token: is missing"),
        ({"token": "two words"}, "forges.gh.token: is no token"),
        ({"app_id": "12"}, "forges.gh.app_key: is missing"),
        ({"app_key": "PEM"}, "forges.gh.app_id: is missing"),
        ({"token": "x", "url": "http://git.example.org"}, "forges.gh.url: has to be"),
        ({"token": "x", "api_url": "ftp://git.example.org"}, "forges.gh.api_url: has to be"),
        ({"token": "x", "url": "https://u:p@git.example.org"}, "forges.gh.url: has to be"),
    ],
)
def test_what_cannot_be(values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match="for example") as wrong:
        make(**values)
    assert words in str(wrong.value)
