"""Queued runs and their backend: how many at once, whose turn it is, what refusals and crashes come to."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from reana_bridge.backends.base import BackendError, BackendRefused, Limits
from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused
from reana_bridge.model.runs import RunState
from tests.steps.house import WORKFLOW, House

Maker = Callable[..., House]


def order(house: House, count: int, path: str = "a/x", **more: Any) -> None:
    """Runs of one commit, told apart by a parameter, decided but not started."""
    for number in range(count):
        house.order(path, parameters={"x": 100 + number}, work=False, **more)
        house.work("decide")


def running(house: House) -> Counter[str]:
    return Counter(run.project for run in house.runs() if run.state == RunState.RUNNING)


def test_as_many_run_as_the_backend_takes_and_the_rest_as_slots_come_free(
    make_house: Maker, database_url: str
) -> None:
    house = make_house(database_url, concurrency=2)
    order(house, 5)
    seen = []
    while live := [run for run in house.runs() if run.live_key]:
        house.work()
        seen.append(running(house)["f:a/x"])
        house.end(next(run for run in house.runs() if run.id in {r.id for r in live} and run.backend_id))
    assert max(seen) == 2
    assert Counter(house.states()) == {"finished": 5}
    assert len(house.backend.submitted) == len(set(house.backend.submitted)) == 5


def test_a_slot_stays_taken_while_its_job_may_run(make_house: Maker, sqlite_url: str) -> None:
    """Counted from rows: neither a restart nor a submission without an answer gives a slot away."""
    house = make_house(sqlite_url, concurrency=1)
    order(house, 2)
    house.backend.errors = [BackendError("no answer")]
    house.work()
    assert Counter(house.states()) == {"submitting": 1, "queued": 1}
    house.work()
    assert len(house.backend.submitted) == 1
    house.later(60)
    house.work()
    assert Counter(house.states()) == {"running": 1, "queued": 1}


def test_projects_share_the_slots_fairly_however_many_runs_each_has(
    make_house: Maker, database_url: str
) -> None:
    house = make_house(database_url, concurrency=4)
    for path in ("a/y", "a/z"):
        house.repository(path).commit({"reana.yaml": WORKFLOW.encode()})
    order(house, 6, "a/x")
    order(house, 1, "a/y")
    order(house, 3, "a/z")
    house.work()
    assert running(house) == {"f:a/x": 2, "f:a/y": 1, "f:a/z": 1}


def test_a_projects_own_limit_holds(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, projects=[{"match": "f:a/x", "concurrency": 1}, {"match": "f:*"}])
    house.repository("a/y").commit({"reana.yaml": WORKFLOW.encode()})
    order(house, 3, "a/x")
    order(house, 3, "a/y")
    house.work()
    assert running(house) == {"f:a/x": 1, "f:a/y": 3}


def test_the_higher_priority_goes_first_and_among_equals_the_older(
    make_house: Maker, sqlite_url: str
) -> None:
    house = make_house(
        sqlite_url, concurrency=1, projects=[{"match": "f:a/y", "priority": 5}, {"match": "f:*"}]
    )
    house.repository("a/y").commit({"reana.yaml": WORKFLOW.encode()})
    order(house, 2, "a/x")
    order(house, 2, "a/y")
    while any(run.live_key for run in house.runs()):
        house.work()
        house.end(next(run for run in house.runs() if run.state == RunState.RUNNING))
    started = {name: at for at, name in enumerate(house.backend.submitted)}
    told = sorted(house.runs(), key=lambda run: started[run.backend_name])
    assert [(run.project, (run.parameters or {})["x"]) for run in told] == [
        ("f:a/y", 100),
        ("f:a/y", 101),
        ("f:a/x", 100),
        ("f:a/x", 101),
    ]


def test_the_job_is_exactly_the_commit_with_the_servers_limits(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, limits={"seconds": "10m", "memory": "1GiB", "cpus": 2, "disk": "1GB"})
    sha = house.commit("main", {"n": "first"})
    house.push(work=False)
    house.commit("b", {"n": "second"})
    house.work()
    job = house.job(house.run_of(sha)).job
    assert (job.sha, job.project, job.analysis, job.trusted, job.network) == (
        sha,
        "f:a/x",
        "analysis",
        True,
        False,
    )
    assert job.limits == Limits(seconds=600, cpus=2, memory=2**30, disk=10**9, processes=1024, log=4 * 2**20)
    assert (house.job(house.run_of(sha)).workspace / "n").read_text() == "first"


@pytest.mark.parametrize(
    ("where", "error", "state", "kind"),
    [
        ("backend", BackendRefused("no sandbox here"), "failed", "infrastructure"),
        ("fetch", CommitGone("it is gone"), "cancelled", None),
        ("checkout", ForgeRefused("it is too large"), "failed", "configuration"),
    ],
)
def test_what_will_never_start_ends_with_the_reason(
    one: House, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception, state: str, kind: str | None
) -> None:
    sha = one.head()
    one.push(work=False)
    one.work("decide")
    if where == "backend":
        one.backend.errors = [error]
    else:
        monkeypatch.setattr(one.forge, where, lambda *_: (_ for _ in ()).throw(error))
    one.work()
    run = one.run_of(sha)
    assert (run.state, (run.failure or {}).get("kind"), run.live_key) == (state, kind, None)
    assert str(error) in one.note(sha)
    assert one.raised == []


@pytest.mark.parametrize("error", [BackendError("the disk is full"), ForgeError("no answer")])
def test_what_cannot_start_now_is_tried_again_and_given_up_within_a_budget(
    make_house: Maker, sqlite_url: str, error: Exception
) -> None:
    house = make_house(sqlite_url, limits={"attempts": 1})
    sha = house.head()
    house.backend.broken = error
    house.push()
    run = house.run_of(sha)
    assert (run.state, run.activity) == (RunState.SUBMITTING, str(error))
    for _ in range(2):
        house.later(1000)
        house.work()
    run = house.run_of(sha)
    assert (run.state, (run.failure or {})["kind"]) == (RunState.FAILED, "infrastructure")
    assert len(house.backend.submitted) == 3
    assert house.shown(sha)[-1] == "error"


def test_a_submission_that_died_half_way_is_found_again_and_not_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What no handler of a step catches, as nothing catches a kill."""

    def die_at(name: str) -> None:
        if name == "submit.started":
            raise Killed

    house.push(work=False)
    house.work("decide")
    (row,) = house.steps["submit"].claim(1)
    with monkeypatch.context() as patch:
        patch.setattr("reana_bridge.steps.submit.reach", die_at)
        with pytest.raises(Killed):
            house.steps["submit"].act(row)
    assert len(house.backend.jobs) == 1
    house.work()
    assert house.states() == ["submitting"], "its lease has not ended"
    house.later(100)
    house.work()
    assert house.states() == ["running"]
    assert len(house.backend.jobs) == len(set(house.backend.submitted)) == 1


def test_a_run_whose_end_is_wanted_in_time_is_not_started(one: House) -> None:
    sha = one.commit("b", {"n": "1"})
    one.push("b", work=False)
    one.work("decide")
    (row,) = one.steps["submit"].claim(1)
    one.repository().push("--delete", "b")
    one.push("b", None, before=sha, work=False)
    one.work("decide")
    one.act("submit", row)
    one.work()
    assert one.states(sha) == ["cancelled"]
    assert one.backend.submitted == []


def test_each_account_of_a_backend_has_a_limit_of_its_own(make_house: Maker, database_url: str) -> None:
    house = make_house(database_url)
    house.repository("a/y").commit({"reana.yaml": WORKFLOW.encode()})
    backend: Any = house.backend
    backend.account_of = lambda project, *, trusted: project[-1]
    backend.account_limits = {"x": 2, "y": None}
    order(house, 4, "a/x")
    order(house, 3, "a/y")
    house.work()
    assert running(house) == {"f:a/x": 2, "f:a/y": 3}
    house.end(next(run for run in house.runs() if run.project == "f:a/x" and run.backend_id))
    assert running(house) == {"f:a/x": 2, "f:a/y": 3}
    backend.account_limits = {}
    house.work()
    assert running(house) == {"f:a/x": 3, "f:a/y": 3}
