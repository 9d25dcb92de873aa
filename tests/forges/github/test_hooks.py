"""Hooks of a repository and of an App."""

import time

import pytest

from reana_bridge.forges.base import ForgeRefused, Unanswered
from reana_bridge.forges.github.hooks import EVENTS
from tests.forges.github.conftest import PROJECT, Place
from tests.forges.github.receiver import Receiver

URL = "https://bridge.example.org/webhooks/github"


def test_a_hook_is_made_and_found(place: Place) -> None:
    forge = place.with_token()
    made = forge.install_hook(PROJECT, f"{URL}/h1", "whsec_abc", None)
    assert forge.hooks(PROJECT, URL) == [made]
    assert (made.url, made.signed, made.disabled, made.problems) == (f"{URL}/h1", True, "", ())
    (hook,) = place.repository.hooks.values()
    assert (hook.settings["secret"], hook.events, hook.active) == ("whsec_abc", set(EVENTS), True)
    assert (hook.settings["insecure_ssl"], hook.settings["content_type"]) == ("0", "json")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (URL, True),
        (f"{URL}/h1", True),
        (f"{URL}/h", False),
        ("https://bridge.example.org", True),
        ("https://x", False),
    ],
)
def test_only_hooks_below_the_url(place: Place, url: str, found: bool) -> None:
    place.github.hook(place.repository, f"{URL}/h1", secret="s")
    assert bool(place.with_token().hooks(PROJECT, url)) == found


@pytest.mark.parametrize("by_id", [True, False])
def test_a_broken_hook_is_repaired(place: Place, by_id: bool) -> None:
    hook = place.github.hook(place.repository, f"{URL}/h1", events=["push"])
    hook.active, hook.settings["insecure_ssl"], hook.settings["content_type"] = False, "1", "form"
    forge = place.with_token()
    (broken,) = forge.hooks(PROJECT, URL)
    assert broken.disabled
    assert len(broken.problems) == 5
    repaired = forge.install_hook(PROJECT, f"{URL}/h1", "whsec_new", broken.id if by_id else None)
    assert (repaired.id, repaired.problems, repaired.disabled) == (broken.id, (), "")
    assert len(place.repository.hooks) == 1


def test_a_hook_that_somebody_removed_is_made_again(place: Place) -> None:
    made = place.with_token().install_hook(PROJECT, f"{URL}/h1", "whsec_abc", "999999")
    assert list(place.repository.hooks) == [int(made.id)]


def test_a_lost_answer_makes_no_second_hook(place: Place) -> None:
    forge = place.with_token()
    place.github.fail("POST", "/hooks$", how="after")
    with pytest.raises(Unanswered):
        forge.install_hook(PROJECT, f"{URL}/h1", "whsec_abc", None)
    forge.install_hook(PROJECT, f"{URL}/h1", "whsec_abc", None)
    assert len(place.repository.hooks) == 1


def test_removing_twice_is_fine(place: Place) -> None:
    hook = place.github.hook(place.repository, URL)
    for _ in range(2):
        place.with_token().remove_hook(PROJECT, str(hook.id))
    assert place.repository.hooks == {}


@pytest.mark.parametrize("hook", ["x", "../../user", ""])
def test_odd_ids(place: Place, hook: str) -> None:
    with pytest.raises(ForgeRefused):
        place.with_token().remove_hook(PROJECT, hook)


def test_without_rights(place: Place) -> None:
    forge = place.with_token(token=place.github.token(place.alice, ["repo"]))
    with pytest.raises(ForgeRefused, match="repo_hook"):
        forge.install_hook(PROJECT, URL, "whsec_abc", None)


def test_failed_deliveries_are_named_and_sent_again(place: Place, receiver: Receiver) -> None:
    forge = place.with_token()
    hook = place.github.hook(place.repository, f"{receiver.url}/webhooks/github", secret="s")
    receiver.status = 503
    place.github.push(place.repository, "main")
    place.github.deliveries.wait()
    receiver.status = 202
    place.github.comment(place.repository, place.pull, "hello")
    place.github.deliveries.wait()
    (failed,) = forge.failed_deliveries(PROJECT, str(hook.id), 0.0)
    assert failed.event == "push"
    assert forge.failed_deliveries(PROJECT, str(hook.id), time.time() + 60) == []
    forge.resend(PROJECT, str(hook.id), failed.id)
    place.github.deliveries.wait()
    assert forge.failed_deliveries(PROJECT, str(hook.id), 0.0) == []
    assert [one["x-github-event"] for one in receiver.headers] == ["push", "issue_comment", "push"]
    assert receiver.headers[0]["x-github-delivery"] == receiver.headers[2]["x-github-delivery"]


def test_what_fails_again_and_again_is_named_no_more(place: Place, receiver: Receiver) -> None:
    forge = place.with_token()
    hook = place.github.hook(place.repository, receiver.url)
    receiver.status = 500
    place.github.push(place.repository, "main")
    for _ in range(2):
        place.github.deliveries.wait()
        (failed,) = forge.failed_deliveries(PROJECT, str(hook.id), 0.0)
        forge.resend(PROJECT, str(hook.id), failed.id)
    place.github.deliveries.wait()
    assert forge.failed_deliveries(PROJECT, str(hook.id), 0.0) == []


def test_a_ping(place: Place, receiver: Receiver) -> None:
    hook = place.github.hook(place.repository, receiver.url, secret="s")
    place.with_token().test_hook(PROJECT, str(hook.id))
    place.github.deliveries.wait()
    assert [one["x-github-event"] for one in receiver.headers] == ["ping"]


def test_the_hook_of_an_app(place: Place, receiver: Receiver) -> None:
    app = place.github.app("heard", hook_url=f"{receiver.url}/webhooks/github", hook_secret="s")
    other = place.github.project("atlas/other")
    place.github.install(app, [place.repository, other])
    forge = place.with_app(app_id=str(app.id), app_key=app.key)
    forge.remember(PROJECT, str(place.repository.id))
    (hook,) = forge.hooks(PROJECT, f"{receiver.url}/webhooks/github")
    assert (hook.signed, hook.problems) == (True, ())
    place.github.deliveries.wait()
    receiver.status = 500
    place.github.push(place.repository, "main")
    place.github.push(other, "main")
    place.github.deliveries.wait()
    receiver.status = 202
    (failed,) = forge.failed_deliveries(PROJECT, hook.id, 0.0)
    forge.resend(PROJECT, hook.id, failed.id)
    place.github.deliveries.wait()
    assert forge.failed_deliveries(PROJECT, hook.id, 0.0) == []


@pytest.mark.parametrize("call", ["install_hook", "remove_hook", "test_hook"])
def test_an_apps_hook_is_set_on_github(place: Place, call: str) -> None:
    arguments = {"install_hook": (URL, "whsec_abc", None), "remove_hook": ("app",), "test_hook": ("app",)}
    with pytest.raises(ForgeRefused, match="App"):
        getattr(place.with_app(), call)(PROJECT, *arguments[call])


def test_what_github_does_not_have(place: Place) -> None:
    forge = place.with_token()
    assert forge.upload(PROJECT, "plot.png", b"png") is None
    assert forge.install_badge(PROJECT, "https://x", "https://x/y.svg", "reana-bridge") is False
    forge.remove_badge(PROJECT, "reana-bridge")
    assert place.github.requests() == []
