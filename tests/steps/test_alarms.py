"""Alarms beside the comparisons that raise them, and what becomes of them."""

from typing import Any

from reana_bridge.results.alarms import RuleRecord
from reana_bridge.steps.comparing.alarms import alarms_by_analysis
from reana_bridge.store.tables import AlarmRow
from tests.steps.accepted import FILE, accept, begun, finish, pushed
from tests.steps.hosted import HostedHouse


def recorded(house: HostedHouse) -> tuple[RuleRecord, ...]:
    with house.bridge.database.read() as session:
        return alarms_by_analysis(session, "f:a/x").get("fit", ())


def counts(house: HostedHouse) -> tuple[int, int, int, int]:
    (record,) = recorded(house)
    return record.raised, record.accepted, record.vanished, record.false


def test_one_alarm_a_merge_request_until_it_is_accepted(hosted_house: Any) -> None:
    house = begun(hosted_house)
    (record,) = recorded(house)
    assert (record.rule.pattern, record.rule.limit, record.rule.effect, record.metrics) == (
        "a",
        "may change by at most 0.5",
        "block",
        ("a",),
    )
    pushed(house, 2.5)
    assert counts(house) == (1, 0, 0, 0)
    accept(house)
    assert counts(house) == (1, 1, 0, 1)
    assert len(house.rows(AlarmRow)) == 2, "compared anew it is written anew"


def test_an_alarm_that_another_run_of_the_commit_does_not_have(hosted: HostedHouse) -> None:
    house = begun(hosted)
    sha = house.merge_request().sha
    house.comment("/reana run", actor="mia")
    house.end(house.runs(sha)[-1], {"a": 1.2, "same": 1.0, "b c": 1.0})
    assert counts(house) == (1, 0, 1, 1)


def test_what_only_informs_or_is_proposed_raises_nothing(hosted: HostedHouse) -> None:
    house = begun(hosted, 1.2)
    house.commit("b", {".reana-bridge.yaml": FILE.replace("absolute: 0.5", "absolute: 0.01")})
    house.follow_branch()
    house.told()
    finish(house, 1.2)
    assert recorded(house) == ()
