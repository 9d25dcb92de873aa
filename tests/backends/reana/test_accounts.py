"""Accounts: each project's own, none with secrets for forks' code, and what `doctor` says of them."""

from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendRefused, JobState
from reana_bridge.backends.reana import Account
from reana_bridge.sections import BackendSettings
from reana_bridge.settings import Settings, SettingsError
from tests.backends.reana.conftest import Bench

both = pytest.mark.parametrize("protocol", ["released", "next"], indirect=True)


def test_a_project_has_its_own_account(bench: Bench) -> None:
    atlas = bench.fake.user("atlas@example.org")
    own = Account(name="atlas", token=atlas.token, match="git:atlas/*")
    bench = bench.another(accounts=(own, *bench.settings.accounts))
    theirs = bench.submit(bench.job(name="rb-a-1", project="git:atlas/fit"))
    other = bench.submit(bench.job(name="rb-b-1", project="git:cms/fit"))
    assert (theirs.partition("/")[0], other.partition("/")[0]) == ("atlas", "default")
    assert bench.workflow(theirs).owner is atlas
    assert {bench.end(one).state for one in (theirs, other)} == {JobState.FINISHED}
    seen = bench.backend.follow([theirs, other])
    assert seen.keys() == {theirs, other}
    assert bench.backend.find("rb-a-1") == theirs


def test_one_account_without_a_token_holds_up_no_other(bench: Bench) -> None:
    atlas = bench.fake.user("atlas@example.org")
    own = Account(name="atlas", token=atlas.token, match="git:atlas/*")
    bench = bench.another(accounts=(own, *bench.settings.accounts))
    theirs = bench.submit(bench.job(name="rb-a-1", project="git:atlas/fit"))
    other = bench.submit(bench.job(name="rb-b-1"))
    bench.fake.rotate(atlas)
    assert bench.backend.follow([theirs, other]).keys() == {other}


def test_a_project_without_an_account_is_refused(bench: Bench) -> None:
    bench = bench.another(accounts=(Account(name="atlas", token="x", match="git:atlas/*"),))
    with pytest.raises(BackendRefused, match="no REANA account is set for the project git:team/fit"):
        bench.submit()


def test_code_from_forks_needs_an_account_of_its_own(bench: Bench) -> None:
    with pytest.raises(BackendRefused, match="untrusted_token"):
        bench.submit(bench.job(trusted=False))
    assert not bench.fake.writes()


@both
def test_code_from_forks_finds_no_secrets(bench: Bench) -> None:
    strangers = bench.fake.user("strangers@example.org")
    bench = bench.another(untrusted=Account(name="untrusted", token=strangers.token))
    identity = bench.submit(bench.job(trusted=False))
    assert bench.workflow(identity).owner is strangers
    assert bench.end(identity).state == JobState.FINISHED
    for i in range(5):
        bench.fake.secret(strangers, f"password{i}", "hidden")
    writes = len(bench.fake.writes())
    with pytest.raises(BackendRefused, match="password0, password1, password2"):
        bench.submit(bench.job(trusted=False, name="rb-two-1"))
    assert len(bench.fake.writes()) == writes


# -- doctor --


@both
def test_a_good_set_up(bench: Bench) -> None:
    assert bench.backend.check() == []
    told = "\n".join(bench.backend.describe())
    for words in ("team@example.org", bench.fake.world.version, "disk quota", "kubernetes, htcondorcern"):
        assert words in told
    assert bench.user.token not in told


def test_what_is_wrong_is_named(bench: Bench) -> None:
    strangers = bench.fake.user("strangers@example.org")
    bench.fake.secret(strangers, "password", "hidden")
    bench.user.cpu_limit, bench.user.cpu_used = 10, 10
    bench.fake.world.clock_offset = 600.0
    accounts = (Account(name="old", token="nothing", match="x"), *bench.settings.accounts)
    bench = bench.another(accounts=accounts, untrusted=Account(name="untrusted", token=strangers.token))
    problems = bench.backend.check()
    for words in ("account old: ", "cpu quota is used up", "has secrets", "its clock differs"):
        assert any(words in one for one in problems), (words, problems)


def test_a_server_that_is_away(bench: Bench) -> None:
    bench.fake.stop()
    (problem,) = bench.backend.check()
    assert "no connection" in problem
    assert bench.backend.describe() == []


# -- settings --


def made(tmp_path: Path, **values: object) -> object:
    from reana_bridge.backends.make import reana

    entry = {"kind": "reana", "url": "https://reana.example.org", **values}
    storage = {"secrets": tmp_path / "secrets", "runs": tmp_path / "runs"}
    settings = Settings.model_validate({"backends": {"reana": entry}, "storage": storage})
    return reana("reana", settings.backends["reana"], settings)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"token": "x", "url": ""}, "url"),
        ({"token": "x", "url": "reana.cern.ch"}, "url"),
        ({}, "has no token"),
        ({"accounts": [{"name": "a", "match": "*"}]}, "'a' has no token"),
        ({"accounts": [{"name": "a", "match": "*", "token": "x"}] * 2}, "a name of its own"),
        ({"accounts": [{"name": "untrusted", "match": "*", "token": "x"}]}, "a name of its own"),
        ({"token": "x", "accounts": [{"name": "default", "match": "*", "token": "x"}]}, "a name of its own"),
        ({"token": "x", "poll_fastest": "60s"}, "poll_slowest"),
    ],
)
def test_wrong_settings_stop_the_start(tmp_path: Path, values: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        made(tmp_path, **values)


def test_tokens_come_from_files_and_stay_hidden(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    backend = made(tmp_path, token_file=tmp_path / "token", untrusted_token_file=tmp_path / "token")
    settings = backend._settings  # type: ignore[attr-defined]
    assert [one.token for one in settings.every_account()] == ["s3cret", "s3cret"]
    assert "s3cret" not in repr(settings)


def test_thirty_runs_at_once_unless_said_otherwise() -> None:
    entry = {"kind": "reana", "url": "https://reana.example.org"}
    assert BackendSettings.model_validate(entry).concurrency == 30
    assert BackendSettings.model_validate(entry | {"concurrency": 5}).concurrency == 5
