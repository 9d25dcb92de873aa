"""Requests: the token's way, what is tried again, how fast, and how an answer's words are understood."""

import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reana_bridge.backends.base import BackendError
from reana_bridge.backends.reana import Account
from reana_bridge.backends.reana.client import Client, Voice
from reana_bridge.backends.reana.errors import Away, NotAccepted, NotThere, OverQuota, ReanaError, error_of
from reana_bridge.backends.reana.limiter import Limiter
from reana_bridge.testing.reana import How
from tests.backends.reana.conftest import Bench

TOKEN = "s3cret-token"
Answers = Callable[[httpx.Request], httpx.Response]


def client(answer: Answers, *, bearer: bool = False, waits: list[float] | None = None) -> Client:
    waited = [] if waits is None else waits
    return Client(
        "https://reana.example.org/",
        Account(name="default", token=TOKEN),
        voice=Voice(bearer=bearer),
        limiter=Limiter(1000.0, sleep=waited.append),
        transport=httpx.MockTransport(answer),
        sleep=waited.append,
    )


def said(status: int, **values: Any) -> httpx.Response:
    return httpx.Response(status, json={"message": f"said {TOKEN}"} | values)


class Series:
    """Answers one after the other; what is an exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


OK = httpx.Response(200, json={"fine": True})
CONNECT, READ = httpx.ConnectError("refused"), httpx.ReadTimeout("late")
CUT = httpx.RemoteProtocolError("cut")


@pytest.mark.parametrize("bearer", [False, True])
def test_the_token_is_sent_in_one_place(bearer: bool) -> None:
    series = Series(said(200))
    client(series, bearer=bearer).json("GET", "you", "say who", query=[("a", "b c")])
    (request,) = series.seen
    assert request.url.params.get("access_token") == (None if bearer else TOKEN)
    assert request.headers.get("Authorization") == (f"Bearer {TOKEN}" if bearer else None)
    assert request.url.params["a"] == "b c"


@pytest.mark.parametrize(
    "answer", [said(400), said(401), said(403), said(500), said(302), CONNECT, READ, CUT], ids=str
)
def test_the_token_is_in_no_error_and_no_log(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ReanaError) as caught:
        client(Series(*[answer] * 3)).json("GET", "you", "say who")
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in f"{error!r} {error} {vars(error)}"
        error = error.__context__
    assert TOKEN not in caplog.text


def test_the_token_is_in_no_log_of_a_real_request(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    bench.end(bench.submit())
    bench.fake.fail("GET", how=How.CLOSE_AFTER, times=None)
    with pytest.raises(BackendError):
        bench.backend.follow(["default/x"])
    said_here = [record for record in caplog.records if not record.name.startswith("uvicorn")]
    assert any(record.name == "httpx" for record in said_here)
    assert not [record for record in said_here if bench.user.token in record.getMessage()]


@pytest.mark.parametrize(
    ("method", "answers", "tries"),
    [
        ("GET", [CONNECT, OK], 2),
        ("GET", [READ, CUT, OK], 3),
        ("GET", [said(502), said(503), OK], 3),
        ("GET", [said(429), OK], 2),
        ("GET", [said(502)] * 3, 3),
        ("GET", [said(500)], 1),
        ("GET", [said(404)], 1),
        ("POST", [CONNECT, OK], 2),
        ("POST", [said(429), OK], 2),
        ("POST", [READ], 1),
        ("POST", [CUT], 1),
        ("POST", [said(502)], 1),
        ("POST", [said(504)], 1),
    ],
)
def test_what_is_tried_again(method: str, answers: list[Any], tries: int) -> None:
    series = Series(*answers)
    if answers[-1] is OK:
        assert client(series).json(method, "x", "do it") == {"fine": True}
    else:
        with pytest.raises(ReanaError):
            client(series).json(method, "x", "do it")
    assert len(series.seen) == tries


def test_a_content_is_made_anew_for_each_try() -> None:
    series = Series(CONNECT, said(503), OK)
    client(series).json("POST", "x", "do it", content=lambda: iter([b"con", b"tent"]), again=True)
    assert [request.content for request in series.seen] == [b"content"] * 3


def test_a_length_is_told_for_a_stream() -> None:
    series = Series(OK)
    headers = {"Content-Length": "7"}
    client(series).json("POST", "x", "do it", content=lambda: iter([b"con", b"tent"]), headers=headers)
    assert series.seen[0].headers["Content-Length"] == "7"
    assert "Transfer-Encoding" not in series.seen[0].headers


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"Retry-After": "7"}, 6.9),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.9),
        ({}, 0.9),
    ],
)
def test_the_server_is_left_alone_as_long_as_it_asks(headers: dict[str, str], least: float) -> None:
    waits: list[float] = []
    client(Series(httpx.Response(429, headers=headers), OK), waits=waits).json("GET", "x", "do it")
    assert any(least <= one <= 30.0 for one in waits)


def test_a_long_wait_blocks_no_thread() -> None:
    waits: list[float] = []
    each = client(Series(httpx.Response(429, headers={"Retry-After": "99999"})), waits=waits)
    for _ in range(2):
        with pytest.raises(Away, match="to be left alone for 3600 s more"):
            each.json("GET", "x", "do it")
    assert max(waits) < 20.0


@pytest.mark.parametrize(("left", "least", "most"), [(0, 0.9, 2.0), (1, 0.4, 1.0), (5, 0.0, 0.2)])
def test_a_limit_that_comes_near_is_kept_away_from(left: int, least: float, most: float) -> None:
    """What is left is spread over the time until there is more; at four fifths of the limit nothing waits."""
    waits: list[float] = []
    told = {
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{time.time() + 1.9:.2f}",
    }
    each = client(Series(httpx.Response(200, json={}, headers=told), OK), waits=waits)
    each.json("GET", "x", "do it")
    each.json("GET", "x", "do it")
    assert least <= max(waits, default=0.0) <= most


def test_submitting_never_meets_the_servers_limit(bench: Bench) -> None:
    bench.fake.limit(20, 1.0)
    bench.fake.pretend()
    bench = bench.another(rate=16.0)
    for i in range(4):
        bench.submit(bench.job(name=f"rb-{i}-1"))
    assert not [one for one in bench.fake.requests() if one.status == 429]


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "User not signed in", NotAccepted),
        (403, "Token is not valid.", NotAccepted),
        (403, "User quota exceeded.", OverQuota),
        (404, "whatever", NotThere),
        (403, "REANA_WORKON is set to x, but that workflow does not exist. Please set", NotThere),
        (500, "Something went wrong.", ReanaError),
        (502, "", Away),
        (504, "", Away),
        (409, "Workflow x is not running.", ReanaError),
    ],
)
def test_words_count_as_well_as_numbers(status: int, message: str, kind: type[ReanaError]) -> None:
    error = error_of("do it", status, message)
    assert type(error) is kind
    assert str(error).endswith(message.removesuffix("."))


@pytest.mark.parametrize("body", [b"<html>a proxy's page</html>", b"\xff\xfe", b"{"])
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(Away, match="no JSON"):
        client(Series(*[httpx.Response(200, content=body)] * 3)).json("GET", "x", "do it")


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reana_bridge.backends.reana.client.ANSWER_LIMIT", 1000)
    monkeypatch.setattr("reana_bridge.backends.reana.client._read.__kwdefaults__", {"limit": 1000})
    with pytest.raises(ReanaError, match="longer than 1000 bytes"):
        client(Series(httpx.Response(200, content=b" " * 5000))).json("GET", "x", "do it")


def test_the_limiter_spaces_requests_and_lets_a_few_go_at_once() -> None:
    now, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    limiter = Limiter(10.0, burst=2, clock=lambda: now[0], sleep=sleep)
    now[0] = 5.0
    for _ in range(5):
        limiter.wait()
    assert waits == [0.1, 0.1]
    limiter.hold(3.0)
    limiter.wait()
    assert waits[-1] == 3.0


def test_a_late_request_makes_the_next_ones_later() -> None:
    """A server counts when requests come: a burst after a stall would be too much for it."""
    now, passed = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        now[0] += seconds + (1.0 if len(passed) == 4 else 0.0)

    limiter = Limiter(10.0, burst=1, clock=lambda: now[0], sleep=sleep)
    for _ in range(30):
        limiter.wait()
        passed.append(now[0])
    assert max(sum(at <= other < at + 1.0 for other in passed) for at in passed) <= 12


def test_processes_keep_the_pace_together() -> None:
    class Shared:
        held = 0.0

        def reserve(self, spacing: float, slack: float) -> float:
            return 5.0 if not self.held else self.held

        def hold(self, seconds: float) -> None:
            self.held = seconds

    waits: list[float] = []
    limiter = Limiter(1000.0, sleep=waits.append)
    limiter.shared = Shared()
    assert limiter.wait(10.0) == 0.0
    assert waits == [5.0]
    limiter.shared.hold(60.0)
    assert limiter.wait(10.0) == 60.0
    limiter = Limiter(1000.0, sleep=waits.append)
    limiter.shared = shared = Shared()
    limiter.hold(7.0)
    assert shared.held == 7.0
