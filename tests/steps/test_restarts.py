"""Restarts on REANA: after the infrastructure's failures by themselves, else by a person, at a step."""

from typing import Any

import pytest

from reana_bridge.model.runs import RunState
from reana_bridge.steps import manual
from reana_bridge.steps.retain import Retain
from reana_bridge.testing.reana import How, Plan, Status
from tests.steps.reana import ReanaHouse

LINES = """
inputs: {parameters: {x: 3, y: 1}}
workflow:
  type: serial
  specification:
    steps:
    - name: make
      environment: python:3.12
      commands:
      - date +%N > made
      - echo ${x} > x
    - name: fit
      environment: python:3.12
      commands:
      - test ${y} -gt 0
      - printf '{"y":%s,"x":%s}' ${y} $$(cat x) > metrics.json
outputs: {files: [metrics.json, made]}
"""


def numbers(house: ReanaHouse) -> list[tuple[str, str]]:
    return [(one.number, str(one.status)) for one in house.fake.workflows()]


def broken(house: ReanaHouse) -> Any:
    """A run whose second step fails with the default parameters."""
    sha = house.commit(files={"reana.yaml": LINES.replace("y: 1", "y: 0")})
    house.push()
    return house.until(RunState.FAILED, sha)


def again(house: ReanaHouse, run: Any, **how: Any) -> Any:
    """The run that a person's order leads to, when it has ended."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(manual.rerun, house.bridge, run.id, actor="jane", **how)
        while not asked.done():
            house.once()
    return ended(house, asked.result())


def ended(house: ReanaHouse, id: str) -> Any:
    import time

    for _ in range(400):
        house.once()
        if house.run(id).state in (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED):
            return house.run(id)
        time.sleep(0.01)
    raise AssertionError(house.run(id))


def test_a_person_restarts_at_a_step_with_other_parameters(reana: ReanaHouse) -> None:
    first = broken(reana)
    made = reana.fake.workflows()[0].workspace.joinpath("made").read_bytes()
    run = again(reana, first, from_step="fit", parameters={"y": 5})
    assert (run.state, run.parameters) == (RunState.FINISHED, {"y": 5})
    assert numbers(reana) == [("1", "failed"), ("1.1", "finished")]
    kept = reana.artifacts(run)
    assert (kept["metrics.json"], kept["made"]) == (b'{"y":5,"x":3}', made)
    assert [step["name"] for step in run.steps] == ["fit"]
    sentence = f"restarted from `fit`: what the steps before it left is that of attempt 1 of run `{first.id}`"
    assert run.warnings == [sentence]
    # Its backend's name is the restart's own, so that it is found there.
    assert reana.reana.find(run.backend_name) == run.backend_id
    assert run.backend_name == f"{first.backend_name}.1"


def test_restarts_of_restarts_share_a_workspace_that_is_deleted_once(reana: ReanaHouse) -> None:
    first = broken(reana)
    second = again(reana, first, from_step="fit", parameters={"y": 5})
    third = again(reana, second, from_step="fit", parameters={"y": 6})
    assert third.backend_name == f"{first.backend_name}.2"
    for workflow in reana.fake.workflows():
        workflow.finished -= 8 * 86400.0
    (usage,) = reana.reana.usage()
    assert usage.identity == third.backend_id
    for _ in range(3):
        Retain(reana.bridge).workspaces(reana.reana)
    assert [status for _, status in numbers(reana)] == ["deleted"] * 3
    assert reana.run(first.id).removed_at is not None
    with pytest.raises(manual.Refused, match="workspace is gone"):
        manual.rerun(reana.bridge, first.id, actor="jane", from_step="fit")


def test_no_workspace_is_deleted_that_a_restart_works_in(reana: ReanaHouse) -> None:
    first = broken(reana)
    reana.fake.pretend(Plan(running_seconds=None), name=r"\.1\.1$")
    workflow = reana.fake.workflows()[0]
    reana.reana._accounts.every()[0][1].restart(workflow.id, {}, {"FROM": "fit"})
    workflow.finished -= 8 * 86400.0
    assert list(reana.reana.usage()) == []
    assert first.removed_at is None


@pytest.mark.parametrize(("step", "text"), [("plot", "it has make, fit"), ("", "")])
def test_a_step_that_there_is_not(reana: ReanaHouse, step: str, text: str) -> None:
    first = broken(reana)
    if step:
        with pytest.raises(manual.Refused, match=text):
            manual.rerun(reana.bridge, first.id, actor="jane", from_step=step)
    else:
        assert again(reana, first).backend_name != f"{first.backend_name}.1"
        assert [number for number, _ in numbers(reana)] == ["1", "1"]


INFRASTRUCTURE = "Container job failed, error: Back-off pulling image"


def lost(house: ReanaHouse, plan: Plan) -> str:
    """A commit whose run REANA has, but does not begin yet; its first attempt is going to be lost."""
    house.fake.pretend(plan, name=r"-1-[^.]*\.1$")
    house.fake.hold()
    sha = house.commit(files={"reana.yaml": LINES})
    house.push(work=False)
    house.until(RunState.RUNNING, sha)
    return sha


@pytest.mark.parametrize(
    ("plan", "began", "said"),
    [
        (Plan(outcome=Status.FAILED, job_log=INFRASTRUCTURE), ["fit"], "restarted from `fit`"),
        (
            Plan(outcome=Status.FAILED, steps=("make",), job_log=INFRASTRUCTURE),
            ["make", "fit"],
            "in the workspace",
        ),
    ],
)
def test_what_the_infrastructure_failed_goes_on_where_it_stopped(
    reana: ReanaHouse, plan: Plan, began: list[str], said: str
) -> None:
    plan = Plan(**{**vars(plan), "files": {"x": b"3\n", "made": b"first\n"}})
    sha = lost(reana, plan)
    reana.fake.release()
    run = reana.until(RunState.FINISHED, sha)
    assert (run.run_attempt, [step["name"] for step in run.steps]) == (2, began)
    assert said in run.warnings[0]
    assert run.warnings[0].endswith("attempt 1")
    assert [number for number, _ in numbers(reana)] == ["1", "1.1"]
    assert said.split("`")[0].strip() in reana.note(reana.head())


@pytest.mark.parametrize("how", [How.AFTER, How.CLOSE_AFTER, How.BEFORE, How.CLOSE_BEFORE])
def test_the_answer_to_a_restart_is_lost(reana: ReanaHouse, how: How) -> None:
    """It is looked for, never asked for twice: where it is not there all of it runs."""
    sha = lost(reana, Plan(outcome=Status.FAILED, job_log=INFRASTRUCTURE))
    reana.fake.fail("POST", "/start", how=how, times=1)
    reana.fake.release()
    for _ in range(60):
        reana.once()
        reana.later(10.0)
        if reana.run_of(sha).state == RunState.FINISHED:
            break
    run = reana.until(RunState.FINISHED, sha)
    heard = how in (How.AFTER, How.CLOSE_AFTER)
    begun = [(one.name.split("-")[2], one.number) for one in reana.fake.workflows() if one.starts]
    assert begun == ([("1", "1"), ("1", "1.1")] if heard else [("1", "1"), ("2", "1")])
    assert ("all of it ran" in run.warnings[0]) is not heard


def test_reana_away_is_no_reason_to_begin_anew(reana: ReanaHouse) -> None:
    sha = lost(reana, Plan(outcome=Status.FAILED, job_log=INFRASTRUCTURE))
    reana.fake.release()
    while reana.run_of(sha).state == RunState.RUNNING:
        reana.once("follow")
    reana.fake.stop()
    for _ in range(5):
        reana.work("submit")
        reana.later(100.0)
    assert reana.run_of(sha).backend_name == ""
    reana.fake.start()
    reana.later(100.0)
    run = reana.until(RunState.FINISHED, sha)
    assert [number for number, _ in numbers(reana)] == ["1", "1.1"]
    assert "restarted from `fit`" in run.warnings[0]


def test_two_runs_never_take_up_one_workspace_at_once(reana: ReanaHouse) -> None:
    first = broken(reana)
    reana.fake.pretend(Plan(running_seconds=None), name=r"\.1\.1$")
    import threading

    orders = []
    for y in (5, 6):
        order = threading.Thread(
            target=lambda y=y: orders.append(
                manual.rerun(reana.bridge, first.id, actor="j", from_step="fit", parameters={"y": y})
            )
        )
        order.start()
        while order.is_alive():
            reana.work("decide")
    for _ in range(20):
        reana.work("submit")
        reana.later(1.0)
    rows = [reana.run(id) for id in orders]
    assert sorted(row.backend_name.endswith(".1") for row in rows) == [False, True]
    other = next(row for row in rows if not row.backend_name.endswith(".1"))
    assert "all of it ran" in other.warnings[0]
    assert "at work in its workspace" in other.warnings[0]
