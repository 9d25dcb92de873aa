"""`alarms` on the command line, on what runs left in a database."""

import json
from pathlib import Path
from typing import Any

from reana_bridge.model.runs import RunState
from reana_bridge.store.database import Database
from reana_bridge.store.schema import upgrade
from reana_bridge.store.tables import AlarmRow, ComparisonRow, ProjectRow, Run
from tests.cli.test_pause import run

PROJECT = "git:a/x"


def judged(place: Path, accepted: list[bool]) -> None:
    """A database with a run for each of some merge requests, each with an alarm of one rule."""
    database = Database(f"sqlite:///{place}/bridge.db")
    upgrade(database)
    with database.transaction() as session:
        session.add(ProjectRow(name=PROJECT, seen_at=1.0))
        for number, is_accepted in enumerate(accepted):
            facts: dict[str, Any] = {"project": PROJECT, "analysis": "fit", "sha": f"{number:040x}"}
            made = Run(
                id=f"run{number}",
                **facts,
                state=RunState.FINISHED,
                merge_request=number + 1,
                proposal=True,
                queued_at=float(number),
            )
            session.add(made)
            session.flush()
            session.add(ComparisonRow(id=f"c{number}", run_id=made.id, made_at=1.0))
            session.add(
                AlarmRow(
                    run_id=made.id,
                    place=0,
                    metric="mass",
                    pattern="ma*",
                    rule="may change by at most 5 %",
                    effect="block",
                    accepted=is_accepted,
                )
            )
    database.close()


def test_the_rules_with_their_false_alarms(tmp_path: Path) -> None:
    judged(tmp_path, [True, True, False])
    assert run(tmp_path, "alarms", PROJECT) == (
        0,
        "fit: ma* may change by at most 5 % (block): 3 alarms, 2 accepted, 0 vanished, 67 % false;"
        " noisy: widen its limit\n",
    )
    (row,) = json.loads(run(tmp_path, "alarms", PROJECT, "--json")[1])
    assert (row["rule"], row["raised"], row["noisy"], row["metrics"]) == (
        "may change by at most 5 %",
        3,
        True,
        ["mass"],
    )
    assert run(tmp_path, "alarms", PROJECT, "--analysis", "other") == (0, "no rule raised an alarm\n")


def test_a_project_that_is_not_known(tmp_path: Path) -> None:
    status, said = run(tmp_path, "alarms", "git:a/y")
    assert (status, "nothing is known of a project git:a/y" in said) == (2, True)
