"""One call is one request, and what goes wrong is said in our own errors."""

import threading
from typing import Any

import pytest

from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.forges.gitlab import session
from reana_bridge.forges.gitlab.client import Client, project_path
from reana_bridge.forges.gitlab.errors import Asked
from tests.forges.gitlab.conftest import NOW, TOKEN
from tests.forges.gitlab.scripted import Answer, Scripted

READ = Asked(what="tell of it", right="the Reporter role")
WRITE = Asked(what="write it", right="the Developer role", writes=True)
AGAIN = Asked(what="write it", writes=True, repeatable=True)
CUT = Answer(cut=True)


def test_a_get(client: Client, script: Scripted):
    script.on("GET /user", {"id": 1})
    assert client.get("/user", READ, a="b c") == {"id": 1}
    [asked] = script.asked
    assert asked.headers["private-token"] == TOKEN
    assert asked.query == {"a": "b c"}


@pytest.mark.parametrize(
    ("answer", "asked", "error", "said"),
    [
        (Answer(401, {"message": "401 Unauthorized"}), READ, ForgeError, "forges.lab.token"),
        (Answer(401, {"error": "invalid_token"}), WRITE, ForgeError, "revoked or has expired"),
        (Answer(403, {"message": "403 Forbidden"}), WRITE, ForgeRefused, "needs the Developer role"),
        (Answer(404, {"message": "404 Commit Not Found"}), READ, CommitGone, "is gone"),
        (Answer(404, {"message": "404 Project Not Found"}), READ, ForgeRefused, "may not see it"),
        (Answer(400, {"message": {"note": ["is too long"]}}), WRITE, ForgeRefused, "is too long"),
        (Answer(409, {"message": "409 Conflict: lock"}), WRITE, ForgeError, "409"),
        (Answer(422, {"error": "no"}), WRITE, ForgeRefused, "422 no"),
        (Answer(500, {"message": "500"}), READ, ForgeError, "500"),
        (Answer(502, b"<html>502 Bad Gateway</html>"), READ, ForgeError, "tell of it: 502"),
        (Answer(500, {"message": "500"}), WRITE, Unanswered, "500"),
        (Answer(502, b"<html></html>"), WRITE, Unanswered, "502"),
        (Answer(503, b"<html></html>"), AGAIN, ForgeError, "503"),
        (CUT, READ, ForgeError, "the connection broke"),
        (CUT, WRITE, Unanswered, "the connection broke"),
        (CUT, AGAIN, ForgeError, "the connection broke"),
        (Answer(429, {}, {"Retry-After": "7"}), WRITE, RateLimited, "7 s"),
        (Answer(403, {"message": "Rate limit exceeded"}), WRITE, RateLimited, "asks to wait"),
        (Answer(403, {}, {"RateLimit-Remaining": "0"}), READ, RateLimited, "asks to wait"),
        (Answer(302, {}, {"Location": "https://evil.example/"}), READ, ForgeRefused, "has moved"),
        (
            Answer(200, b"<html>x</html>", {"Content-Type": "text/html"}),
            READ,
            ForgeError,
            "forges.lab.url",
        ),
        (Answer(200, [1]), READ, ForgeError, "not GitLab's API"),
        (Answer(200, b'{"id": '), READ, ForgeError, "not GitLab's API"),
    ],
)
def test_what_goes_wrong(
    client: Client, script: Scripted, answer: Answer, asked: Asked, error: type[Exception], said: str
):
    script.on("GET /thing", answer)
    script.on("POST /thing", answer)
    ask = client.post if asked.writes else client.get
    with pytest.raises(error, match=said) as raised:
        ask("/thing", asked)
    assert type(raised.value) is error
    assert len(script.asked) == 1, "one call is one request"
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("asked", [READ, WRITE])
def test_a_forge_that_is_down_has_done_nothing(asked: Asked):
    client = Client("lab", url="http://127.0.0.1:9", token=TOKEN, timeout=1.0)
    with pytest.raises(ForgeError, match="no connection") as raised:
        client.request("post" if asked.writes else "get", "/thing", asked)
    assert type(raised.value) is ForgeError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "99999999"}, 3600.0),
        ({"Retry-After": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0),
        ({"RateLimit-Reset": str(int(NOW) + 45)}, 45.0),
        ({"RateLimit-Reset": str(int(NOW) - 45)}, 1.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(client: Client, headers: dict[str, str], seconds: float | None):
    assert client.errors.wait_of(headers) == seconds


def test_a_limit_without_a_time_backs_off_more_and_more(client: Client, script: Scripted):
    script.on("GET /thing", Answer(429, {}))
    client.errors.chance = lambda: 1.0
    waits: list[Any] = []
    for _ in range(7):
        with pytest.raises(RateLimited) as raised:
            client.get("/thing", READ)
        waits.append(raised.value.retry_after)
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    script.on("GET /thing", {})
    client.get("/thing", READ)
    script.on("GET /thing", Answer(429, {}))
    with pytest.raises(RateLimited) as raised:
        client.get("/thing", READ)
    assert raised.value.retry_after == 10


@pytest.mark.parametrize(
    ("answer", "settled"),
    [(CUT, 6.0), (Answer(504, {}), 6.0), (Answer(500, {}), 5.0), (Answer(502, {}), 6.0)],
)
def test_how_long_a_lost_write_is_unsettled(client: Client, script: Scripted, answer: Answer, settled: float):
    script.on("POST /thing", answer)
    with pytest.raises(Unanswered) as raised:
        client.post("/thing", WRITE)
    assert raised.value.settled_after == raised.value.retry_after == settled


def test_an_answer_without_end_is_cut_off(client: Client, script: Scripted, monkeypatch):
    monkeypatch.setattr(session, "ANSWER_LIMIT", 1000)
    script.on("GET /thing", {"a": "x" * 2000})
    with pytest.raises(ForgeError, match="more than 1000 bytes"):
        client.get("/thing", READ)


def test_pages(client: Client, script: Scripted):
    script.on(
        "GET /things",
        Answer(200, [{"id": 1}], {"X-Next-Page": "2"}),
        Answer(200, [{"id": 2}], {"X-Next-Page": ""}),
    )
    pages = list(client.pages("/things", READ, query={"state": "opened"}))
    assert pages == [[{"id": 1}], [{"id": 2}]]
    assert [each.query for each in script.asked] == [
        {"state": "opened", "per_page": "100", "page": "1"},
        {"state": "opened", "per_page": "100", "page": "2"},
    ]


def test_lists_end(client: Client, script: Scripted):
    script.on("GET /things", Answer(200, [{"id": 1}], {"X-Next-Page": "2"}))
    assert len(list(client.pages("/things", READ, most=3))) == 3


def test_pages_that_did_not_change_are_not_sent_again(client: Client, script: Scripted):
    page = {"X-Next-Page": "2", "ETag": 'W/"a"'}
    script.on("GET /things", Answer(200, [{"id": 1}], page), Answer(200, [{"id": 2}], {"ETag": 'W/"b"'}))
    first = list(client.unchanged_pages("/things", READ, {}))
    script.on("GET /things", Answer(304, None), Answer(200, [{"id": 3}], {"ETag": 'W/"c"'}))
    assert first == [[{"id": 1}], [{"id": 2}]]
    assert list(client.unchanged_pages("/things", READ, {})) == [[{"id": 1}], [{"id": 3}]]
    assert [each.headers.get("if-none-match") for each in script.asked] == [None, None, 'W/"a"', 'W/"b"']


def test_what_is_remembered_of_pages_is_what_was_made_of_them(client: Client, script: Scripted):
    made: list[int] = []

    def parse(item: dict[str, Any]) -> int:
        made.append(item["id"])
        return item["id"]

    script.on("GET /things", Answer(200, [{"id": 1, "text": "long"}], {"ETag": 'W/"a"'}), Answer(304, None))
    found = [list(client.unchanged_pages("/things", READ, {}, parse=parse)) for _ in range(2)]
    assert (found, made) == ([[[1]], [[1]]], [1])


def test_a_304_that_was_not_asked_for(client: Client, script: Scripted):
    script.on("GET /things", Answer(304, None))
    with pytest.raises(ForgeRefused):
        list(client.unchanged_pages("/things", READ, {}))


@pytest.mark.parametrize(
    ("status", "error"), [(204, None), (404, None), (403, ForgeRefused), (500, ForgeError)]
)
def test_deleting(client: Client, script: Scripted, status: int, error: type[Exception] | None):
    script.on("DELETE /thing", Answer(status, {}))
    if error is None:
        client.delete("/thing", AGAIN)
    else:
        with pytest.raises(error):
            client.delete("/thing", AGAIN)


def test_what_headers_tell(client: Client, script: Scripted):
    assert client.heard.allowance is None
    assert client.heard.clock_offset is None
    headers = {"RateLimit-Limit": "600", "RateLimit-Remaining": "599", "RateLimit-Reset": "1790000060"}
    script.on("GET /user", Answer(200, {}, headers | {"Date": "Mon, 21 Sep 2026 14:13:50 GMT"}))
    client.get("/user", READ)
    assert client.heard.allowance is not None
    assert (client.heard.allowance.remaining, client.heard.allowance.limit) == (599, 600)
    assert client.heard.allowance.reset_at == 1_790_000_060


def test_clients_are_used_by_one_thread_at_a_time(client: Client, script: Scripted):
    script.on("GET /user", {"id": 1})
    done: list[Any] = []

    def ask() -> None:
        done.extend(client.get("/user", READ)["id"] for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1] * 60


@pytest.mark.parametrize(
    ("project", "path"), [("5", "/projects/5"), ("a/b.c", "/projects/a%2Fb.c"), ("../x", "/projects/..%2Fx")]
)
def test_paths_of_projects(project: str, path: str):
    assert project_path(project) == path
