"""What answers that are no answers lead to."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from reana_bridge.forges.base import ForgeError, RateLimited, StatusState, Unanswered
from reana_bridge.forges.github import client
from reana_bridge.forges.github.client import Bearer, Client
from reana_bridge.forges.github.forge import GithubForge, api_address
from reana_bridge.forges.telling import NoAnswer
from tests.forges.github.conftest import PROJECT, Place
from tests.forges.github.receiver import Receiver

Writes = Callable[[BaseHTTPRequestHandler], None]
ME = Bearer("token", "t")


def page(body: bytes, status: int = 200, kind: str = "text/html", **headers: str) -> Writes:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return write


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>Sign in</html>", "text/html"),
        (b"{", "application/json"),
        (b"[1, 2]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"", "application/json"),
    ],
)
def test_what_is_not_githubs_api(receiver: Receiver, body: bytes, kind: str) -> None:
    receiver.answer = page(body, kind=kind)
    forge = GithubForge("github", url=receiver.url, token="t", timeout=5)
    with pytest.raises(ForgeError):
        forge.merge_request(PROJECT, 1)
    if body != b"[1, 2]":
        with pytest.raises(ForgeError, match=r"check forges\.github\.url"):
            forge.open_merge_requests(PROJECT)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 1000)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "100000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def broken(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[")
    handler.close_connection = True


@pytest.mark.parametrize("answer", [endless, dripping, broken])
def test_answers_without_an_end(receiver: Receiver, answer: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_LIMIT", 50_000)
    receiver.answer = answer
    asked = Client(receiver.url, timeout=0.2)
    with pytest.raises(NoAnswer) as none:
        asked.send(ME, "GET", "/user")
    assert none.value.sent


def test_a_redirect_to_another_host_takes_no_token_along(receiver: Receiver) -> None:
    other = Receiver()
    try:
        place = other.url.replace("127.0.0.1", "localhost")
        receiver.answer = page(b"{}", status=301, location=f"{place}/user")
        with pytest.raises(NoAnswer, match="api_url"):
            Client(receiver.url, timeout=5).send(ME, "GET", "/user")
        assert other.headers == []
    finally:
        other.close()


def test_nobody_there(place: Place, forge: GithubForge) -> None:
    forge.facts(PROJECT)
    place.github.stop()
    with pytest.raises(ForgeError, match="no connection") as failed:
        forge.post_status(PROJECT, place.status())
    assert not isinstance(failed.value, Unanswered), "nothing can have happened"


def test_a_write_that_takes_too_long_is_unanswered(place: Place) -> None:
    forge = place.with_token(timeout=1)
    place.github.fail("POST", "/statuses/", how="hang_after", seconds=1.5)
    with pytest.raises(Unanswered, match="within 1 s"):
        forge.post_status(PROJECT, place.status(StatusState.SUCCESS))
    forge.post_status(PROJECT, place.status(StatusState.SUCCESS))
    assert len(place.repository.statuses) == 1


@pytest.mark.parametrize("headers", [True, False])
def test_primary_limits(place: Place, forge: GithubForge, headers: bool) -> None:
    forge.facts(PROJECT)
    place.github.limit(0, headers=headers)
    with pytest.raises(RateLimited) as limited:
        forge.facts(PROJECT)
    assert limited.value.retry_after
    assert 1 <= limited.value.retry_after <= (3600 if headers else 60)
    place.github.mend()
    forge.facts(PROJECT)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_call_is_one_request(receiver: Receiver, method: str) -> None:
    receiver.answer = page(b'{"message": "no"}', status=502)
    answer = Client(receiver.url, timeout=5).send(ME, method, "/user", data={} if method == "POST" else None)
    assert answer.status == 502
    assert len(receiver.headers) == 1
    assert receiver.headers[0]["authorization"] == "token t"


def test_many_threads(place: Place) -> None:
    forge, found = place.with_app(), []

    def ask() -> None:
        found.append(forge.facts(PROJECT).path)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["atlas/ttbar"] * 12
    assert len(place.github.requests("POST", "/access_tokens$")) == 1


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://api.github.com"),
        ("https://github.example.org", "https://github.example.org/api/v3"),
        ("https://lab.ghe.com", "https://api.lab.ghe.com"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v3"),
    ],
)
def test_addresses(url: str, api: str) -> None:
    assert api_address(url) == api
