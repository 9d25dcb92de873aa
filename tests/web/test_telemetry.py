"""What is measured is what happened."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from reana_bridge.store.tables import Hook, OutboxRow, RateLimit, Run
from reana_bridge.web.telemetry import Telemetry
from tests.web.world import NOW, fill, make_bridge


def read(telemetry: Telemetry) -> dict[str, float]:
    families = text_string_to_metric_families(telemetry.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return {"/".join([s.name, *s.labels.values()]): s.value for s in samples}


def test_states_and_times_come_from_rows(tmp_path: Path) -> None:
    bridge = make_bridge(tmp_path)
    fill(bridge, history=2)
    with bridge.database.transaction() as session:
        now = bridge.database.now(session)
        late = now - NOW
        session.execute(
            update(Run).values(
                pushed_at=Run.pushed_at + late,  # type: ignore[operator]
                queued_at=Run.queued_at + late,
                started_at=Run.started_at + late,  # type: ignore[operator]
                ended_at=Run.ended_at + late,  # type: ignore[operator]
                backend_ended_at=Run.backend_ended_at + late,  # type: ignore[operator]
            )
        )
        session.execute(
            update(OutboxRow).values(
                wanted_at=OutboxRow.wanted_at + late,
                posted_at=OutboxRow.posted_at + late,  # type: ignore[operator]
                first_posted_at=OutboxRow.wanted_at + late + 0.6,
            )
        )
    telemetry = Telemetry(bridge)
    telemetry.webhook(202, 0.003)
    telemetry.webhook(401, 0.001)
    seen = read(telemetry)
    assert seen["reana_bridge_runs/running"] == 1
    assert seen["reana_bridge_runs/finished"] == 5
    assert seen["reana_bridge_runs_oldest_seconds/queued"] >= 30
    assert seen["reana_bridge_outbox_pending"] == 0
    assert seen["reana_bridge_deliveries_undecided"] == 0
    assert seen["reana_bridge_webhook_answers_total/401"] == 1
    assert seen["reana_bridge_webhook_seconds_count"] == 2
    # 0.2 s from push to queue, 0.6 s more to the first status: all of today's below one second.
    statuses = "reana_bridge_push_to_status_seconds"
    assert seen[f"{statuses}_bucket/0.5"] == 0
    assert seen[f"{statuses}_bucket/1.0"] == seen[f"{statuses}_bucket/+Inf"] > 3
    # The world's reports are posted 1.3 s after the run's end, or with it where it has none.
    reports = "reana_bridge_end_to_report_seconds"
    assert seen[f"{reports}_bucket/1.0"] == 0
    assert seen[f"{reports}_bucket/2.5"] == seen[f"{reports}_bucket/+Inf"] == 5
    with bridge.database.transaction() as session:
        session.execute(update(OutboxRow).values(wanted_version=2, due_at=now, error="refused"))
    assert read(telemetry)["reana_bridge_outbox_failing"] > 0
    assert read(telemetry)["reana_bridge_outbox_oldest_seconds"] > 0
    bridge.close()


def test_hooks_and_limits_of_forges(tmp_path: Path, database_url: str) -> None:
    bridge = make_bridge(tmp_path, database_url)
    telemetry = Telemetry(bridge)
    assert not [name for name in read(telemetry) if "hooks" in name or "limited" in name]
    with bridge.database.transaction() as session:
        now = bridge.database.now(session)
        for number, problem in enumerate(("", "", "gone")):
            session.add(Hook(forge="lab", project=f"lab:{number}", problem=problem, made_at=now))
        session.add(RateLimit(forge="lab", until=now + 100, seen_at=now))
        session.add(RateLimit(forge="hub", until=now - 100, seen_at=now))
    seen = read(telemetry)
    assert (seen["reana_bridge_hooks/lab/no"], seen["reana_bridge_hooks/lab/yes"]) == (2, 1)
    assert 90 < seen["reana_bridge_forge_limited_seconds/lab"] <= 100
    assert seen["reana_bridge_forge_limited_seconds/hub"] == 0
    bridge.close()
