"""What the reconciler makes of commands in comments that no hook told of."""

import time
from typing import Any

import pytest
from sqlalchemy import update

from reana_bridge.forges.base import CommentFacts
from reana_bridge.model.decisions import Outcome
from reana_bridge.steps.reconciling.comments import LOOKED, look_at_comments
from reana_bridge.store.tables import Decision, Delivery, Head, OutboxRow
from tests.steps.hosted import HostedHouse


def said(body: str, *, id: str = "7", ago: float = 0.0, author: str = "jane") -> CommentFacts:
    at = time.time() - ago
    return CommentFacts(number=5, id=id, body=body, author=author, author_id="3", at=at)


def look(house: HostedHouse) -> list[Decision]:
    """One look, and what came of it: the decisions on comments."""
    look_at_comments(house.bridge, house.forge, house.project)
    house.work()
    return [each for each in house.rows(Decision) if each.event == "comment"]


@pytest.fixture
def looked(hosted: HostedHouse) -> HostedHouse:
    """A merge request, looked at once."""
    hosted.commit("b", {"new": "1"})
    hosted.open("b")
    hosted.told()
    assert look(hosted) == []
    return hosted


def replies(house: HostedHouse) -> list[Any]:
    return [row.key for row in house.rows(OutboxRow) if row.kind == "reply"]


def test_a_command_that_nobody_heard_is_obeyed(looked: HostedHouse) -> None:
    looked.forge.written = [said("/reana help")]
    (decision,) = look(looked)
    assert (decision.outcome, decision.actor) == (Outcome.COMMAND, "jane")
    assert replies(looked) == ["5/7"]
    assert len(look(looked)) == 1, "the next look finds it answered"


def test_one_that_a_hook_told_of_is_not_told_again(looked: HostedHouse) -> None:
    looked.comment("/reana help", id="7")
    looked.forge.written = [said("/reana help")]
    assert len(look(looked)) == 1
    assert replies(looked) == ["5/7"]


def test_one_that_a_hook_tells_of_afterwards_is_obeyed_once(looked: HostedHouse) -> None:
    looked.forge.written = [said("/reana run")]
    look(looked)
    looked.comment("/reana run", id="7")
    orders = [row for row in looked.rows(Delivery) if row.kind == "order"]
    assert len(orders) == 1


@pytest.mark.parametrize(
    "comment",
    [
        said("thank you"),
        said("`/reana run`"),
        said("/reana run", ago=3600),
        said("<!-- reana-bridge:note -->\n/reana run"),
    ],
)
def test_what_is_not_told(looked: HostedHouse, comment: CommentFacts) -> None:
    looked.forge.written = [comment]
    assert look(looked) == []


def test_a_stranger_is_refused_as_ever(looked: HostedHouse) -> None:
    looked.forge.written = [said("/reana run", author="rita")]
    (decision,) = look(looked)
    assert decision.outcome == Outcome.SKIP


def test_a_day_is_the_longest_that_is_looked_back(looked: HostedHouse) -> None:
    with looked.bridge.database.transaction() as session:
        past = update(Head).where(Head.ref == LOOKED).values(seen_at=1.0)  # type: ignore[arg-type]
        session.execute(past)
    looked.forge.written = [said("/reana run", ago=90_000), said("/reana help", ago=80_000, id="8")]
    assert len(look(looked)) == 1
    assert replies(looked) == ["5/8"]


def test_nothing_is_asked_where_no_commands_are_taken(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "commands_per_hour": 0}])
    look(house)
    assert "comments" not in house.forge.reads
