"""What GitHub's answers mean: one row an answer."""

from email.utils import formatdate
from typing import Any

import pytest

from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.answers import Answer, Asked
from reana_bridge.forges.telling import NoAnswer

NOW = 1_800_000_000.0
SECONDARY = "You have exceeded a secondary rate limit and have been temporarily blocked"


def error(status: int, message: str = "", writes: bool = True, **headers: str) -> Exception:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(status=status, headers=told, data={"message": message})
    asked = Asked(what="show it", right="the right `x`", writes=writes)
    return answers.refusal(asked, answer, forge="github", settled_after=7.0, now=NOW)


@pytest.mark.parametrize(
    ("status", "message", "writes", "kind"),
    [
        (401, "Bad credentials", True, ForgeError),
        (403, "Resource not accessible by integration", True, ForgeRefused),
        (403, SECONDARY, True, RateLimited),
        (403, "API rate limit exceeded for user ID 1", False, RateLimited),
        (404, "Not Found", True, ForgeRefused),
        (410, "Issues are disabled for this repo", True, ForgeRefused),
        (409, "Git Repository is empty", True, ForgeError),
        (422, "Validation Failed", True, ForgeRefused),
        (422, "No commit found for SHA: 0123", True, CommitGone),
        (422, "This SHA and context has reached the maximum number of statuses.", True, ForgeRefused),
        (429, "", False, RateLimited),
        (451, "Repository access blocked", True, ForgeRefused),
        (500, "", True, Unanswered),
        (502, "", True, Unanswered),
        (502, "", False, ForgeError),
        (503, "", True, Unanswered),
        (504, "", False, ForgeError),
        (408, "", True, ForgeError),
        (302, "Found", True, ForgeError),
    ],
)
def test_what_an_answer_means(status: int, message: str, writes: bool, kind: type[Exception]) -> None:
    assert type(error(status, message, writes)) is kind


def test_a_lost_write_says_when_it_is_settled() -> None:
    found = error(502)
    assert isinstance(found, Unanswered)
    assert found.settled_after == 7.0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "17"}, 17),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "999999"}, 3600),
        ({"retry_after": "soon"}, 60),
        ({}, 60),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW + 100)}, 101),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW - 100)}, 1),
        ({"x_ratelimit_remaining": "0"}, 60),
        ({"x_ratelimit_remaining": "12", "x_ratelimit_reset": str(NOW + 100)}, 60),
        # By the forge's clock, which is half an hour ahead of ours.
        (
            {
                "x_ratelimit_remaining": "0",
                "x_ratelimit_reset": str(NOW + 1900),
                "date": formatdate(NOW + 1800, usegmt=True),
            },
            101,
        ),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait: float) -> None:
    found = error(403, SECONDARY, **headers)
    assert isinstance(found, RateLimited)
    assert found.retry_after == wait


@pytest.mark.parametrize("headers", [{"x_ratelimit_remaining": "0"}, {"retry_after": "5"}])
def test_headers_alone_tell_a_limit(headers: dict[str, str]) -> None:
    assert isinstance(error(403, "Forbidden", **headers), RateLimited)


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 502])
def test_messages_say_what_was_to_be_done_or_what_to_do(status: int) -> None:
    text = str(error(status, "Oh\nno\x1b[31m"))
    assert "forge github" in text
    assert "show it" in text or "put a new one" in text
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("writes", "sent", "kind"),
    [(True, True, Unanswered), (True, False, ForgeError), (False, True, ForgeError)],
)
def test_no_answer(writes: bool, sent: bool, kind: type[Exception]) -> None:
    asked = Asked(what="show it", right="", writes=writes)
    found = answers.lost(asked, NoAnswer("it broke", sent=sent), forge="github", settled_after=1.0)
    assert type(found) is kind


@pytest.mark.parametrize("data", [None, [], "text", 3, {"a": None}, {"a": [1]}, {"a": {"b": True}}])
def test_odd_answers_are_read_as_nothing(data: Any) -> None:
    assert answers.text(data, "a", "b") == ""
    assert answers.number(data, "a", "b") is None
    assert answers.identity(data, "a", "b") == ""
    assert list(answers.each(data, "a", "b")) == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-ratelimit-remaining": "4"}, None),
        ({"x-ratelimit-remaining": "4", "x-ratelimit-limit": "5000"}, (4, 5000, None)),
        (
            {"x-ratelimit-remaining": "4", "x-ratelimit-limit": "5000", "x-ratelimit-reset": "9"},
            (4, 5000, 9.0),
        ),
        ({"x-ratelimit-remaining": "many", "x-ratelimit-limit": "5000"}, None),
    ],
)
def test_allowance(headers: dict[str, str], expected: tuple[int, int, float | None] | None) -> None:
    found = answers.allowance(headers)
    assert (found and (found.remaining, found.limit, found.reset_at)) == expected
