"""Comparing again, whatever the run does at that moment."""

from reana_bridge.model.runs import RunState
from reana_bridge.steps.deciding.again import compare_anew
from tests.steps.hosted import HostedHouse
from webhooks.events import Change


def proposed(house: HostedHouse) -> tuple[str, str]:
    """The head of a merge request whose run is on its way, and main with a result."""
    house.push()
    main = house.head()
    house.end(house.run_of(main), {"a": 1})
    house.commit("b", {"n": "1"})
    sha = house.open()
    house.told(Change.OPENED)
    return sha, main


def ask(house: HostedHouse, run: str, baseline: str) -> None:
    with house.bridge.database.transaction() as session:
        compare_anew(house.bridge, session, run, baseline_sha=baseline)


def test_asked_while_it_is_compared_it_begins_anew(hosted_house: HostedHouse) -> None:
    house = hosted_house
    sha, main = proposed(house)
    run = house.run_of(sha)
    compare = house.steps.pop("compare")
    house.end(run, {"a": 2})
    (row,) = compare.claim(10)
    ask(house, run.id, main)
    compare.act(row)
    assert house.run(run.id).state == RunState.COMPARING
    house.steps["compare"] = compare
    house.work()
    assert house.run(run.id).state == RunState.FINISHED
    assert house.comparison(run)["baseline"]["reason"] == "asked for"


def test_asked_while_it_is_compared_again_it_begins_anew(hosted_house: HostedHouse) -> None:
    house = hosted_house
    sha, main = proposed(house)
    run = house.end(house.run_of(sha), {"a": 2})
    compare = house.steps["compare"]
    ask(house, run.id, "e" * 40)
    (row,) = compare.claim(10)
    ask(house, run.id, main)
    compare.act(row)
    assert house.run(run.id).compare_again
    house.work()
    done = house.run(run.id)
    assert (done.state, done.compare_again, done.due_at) == (RunState.FINISHED, False, None)
    assert house.comparison(run)["baseline"]["sha"] == main


def test_a_baseline_that_never_ends_is_not_waited_for_for_ever(hosted: HostedHouse) -> None:
    sha, _ = proposed(hosted)
    run = hosted.end(hosted.run_of(sha), {"a": 2})
    other = hosted.commit("main", {"m": "1"})
    hosted.comment("/reana compare main")
    assert hosted.comparison(run)["waiting_for"] == other
    hosted.later(6 * 3600 + 1)
    with hosted.bridge.database.transaction() as session:
        row = session.get_one(type(run), run.id)
        row.settings = {**row.settings, "compare_asked_at": row.settings["compare_asked_at"] - 6 * 3600 - 1}
    hosted.work()
    done = hosted.run(run.id)
    assert (done.compare_again, done.due_at) == (False, None)
    assert hosted.comparison(run).get("baseline") is None
    assert not hosted.comparison(run).get("waiting_for")
