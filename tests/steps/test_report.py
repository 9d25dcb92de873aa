"""The outbox is worked off oldest first, statuses before notes, one row a commit."""

from pathlib import Path
from typing import Any

from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.report import ReportStep
from reana_bridge.store.tables import OutboxRow
from tests.web.world import make_bridge


def want(bridge: Bridge, kind: str, sha: str, due_at: float) -> None:
    with bridge.database.transaction() as session:
        session.add(
            OutboxRow(
                id=f"{kind}-{sha}",
                project="f:p",
                kind=kind,
                key=sha,
                sha=sha,
                wanted_at=due_at,
                due_at=due_at,
            )
        )


def claimed(bridge: Bridge, limit: int) -> list[Any]:
    return [row.id for row in ReportStep(bridge).claim(limit)]


def test_what_waits_longest_is_posted_first(tmp_path: Path, database_url: str) -> None:
    bridge = make_bridge(tmp_path, database_url)
    for number in range(12):
        want(bridge, "status", f"{number:02d}", float(number))
        want(bridge, "note", f"{number:02d}", float(number))
    assert claimed(bridge, 2) == ["status-00", "status-01"]
    assert claimed(bridge, 3) == ["status-02", "status-03", "status-04"]
    bridge.close()


def test_two_rows_of_a_commit_are_not_at_work_at_once(tmp_path: Path, database_url: str) -> None:
    bridge = make_bridge(tmp_path, database_url)
    want(bridge, "note", "a", 1.0)
    want(bridge, "status", "a", 2.0)
    assert claimed(bridge, 4) == ["status-a"]
    assert claimed(bridge, 4) == []
    bridge.close()
